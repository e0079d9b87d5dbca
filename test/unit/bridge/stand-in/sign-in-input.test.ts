import { describe, expect, test } from 'vitest';
import {
  mayAskForSignIn,
  signInInput,
  withoutSignInInput,
} from '../../../../src/bridge/stand-in/sign-in-input.ts';

const KEY = 'mcp-drawbridge/sign-in';

function paramsWith(elicitation: unknown, rest: object = {}) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { elicitation },
  };
  return { name: 'x', _meta, ...rest };
}

describe('whether a call may be answered with a request to open an address', () => {
  test.each(['tools/call', 'prompts/get', 'resources/read'])('%s', (method) => {
    expect(mayAskForSignIn(method, paramsWith({ url: {} }))).toBe(true);
    expect(mayAskForSignIn(method, paramsWith({ form: {}, url: {} }))).toBe(true);
  });

  test.each<[string, string, unknown]>([
    ['a list', 'tools/list', paramsWith({ url: {} })],
    ['a host that shows forms only', 'tools/call', paramsWith({})],
    ['a host that shows nothing', 'tools/call', paramsWith(undefined)],
    ['a host with a handshake', 'tools/call', { name: 'x' }],
    [
      'a host of another revision',
      'tools/call',
      { _meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } } },
    ],
    ['no parameters', 'tools/call', undefined],
    ['a call that brings answers', 'tools/call', paramsWith({ url: {} }, { inputResponses: {} })],
    ["a call in the server's own round", 'tools/call', paramsWith({ url: {} }, { requestState: 's' })],
  ])('not to %s', (_, method, params) => {
    expect(mayAskForSignIn(method, params)).toBe(false);
  });
});

test('the request has neither id nor state', () => {
  expect(signInInput('https://as.example/', 'Sign in.')).toEqual({
    resultType: 'input_required',
    inputRequests: {
      [KEY]: {
        method: 'elicitation/create',
        params: { mode: 'url', url: 'https://as.example/', message: 'Sign in.' },
      },
    },
  });
});

describe('the answer to it is removed', () => {
  const strip = (json: string) => withoutSignInInput(Buffer.from(json), JSON.parse(json).params);

  test('everything else stays unchanged', () => {
    const answer = `"${KEY}":{"action":"accept"}`;
    expect(strip(`{"id":1,"params":{"n":12345678901234567890,"inputResponses":{${answer}}}}`)).toBe(
      '{"id":1,"params":{"n":12345678901234567890}}',
    );
    expect(strip(`{"id":1,"params":{"inputResponses":{"a":{"n":1.0},${answer}},"b":2}}`)).toBe(
      '{"id":1,"params":{"inputResponses":{"a":{"n":1.0}},"b":2}}',
    );
  });

  test.each(['{"id":1}', '{"params":{"inputResponses":{"a":1}}}', '{"params":{"inputResponses":7}}'])(
    '%s is passed on unchanged',
    (json) => {
      const bytes = Buffer.from(json);
      expect(withoutSignInInput(bytes, JSON.parse(json).params)).toBe(bytes);
    },
  );
});
