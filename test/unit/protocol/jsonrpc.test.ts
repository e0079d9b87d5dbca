import { describe, expect, it } from 'vitest';
import {
  errorAnswer,
  isBatch,
  lookAtMessage,
  notification,
  parseMessage,
  requestMessage,
  resultAnswer,
  serverRequest,
  textOf,
} from '../../../src/protocol/jsonrpc.ts';
import { stringId } from '../../../src/protocol/message-id.ts';
import { redactor } from '../../../src/redaction/secrets.ts';

const kinds: [string, object][] = [
  ['{"jsonrpc":"2.0","id":0,"method":"a"}', { kind: 'request', id: '0', method: 'a' }],
  ['{"jsonrpc":"2.0","id":"","method":"a"}', { kind: 'request', id: '""' }],
  ['{"jsonrpc":"2.0","method":"a"}', { kind: 'notification', method: 'a' }],
  ['{"jsonrpc":"2.0","id":1,"result":null}', { kind: 'response', id: '1', failed: false }],
  ['{"jsonrpc":"2.0","id":"x","error":{}}', { kind: 'response', id: '"x"', failed: true }],
  ['{"jsonrpc":"2.0","id":0,"id":"","method":"a"}', { kind: 'request', id: '""' }],
  ['{"jsonrpc":"2.0","id":null,"method":"a"}', { kind: 'not-a-message', id: null }],
  ['{"jsonrpc":"2.0","id":{},"method":"a"}', { kind: 'not-a-message', id: null }],
  ['{"jsonrpc":"2.0","id":3}', { kind: 'not-a-message', id: '3' }],
  ['{"jsonrpc":"1.0","id":3,"method":"a"}', { kind: 'not-a-message', id: '3' }],
  ['{"jsonrpc":"2.0","id":null,"error":{}}', { kind: 'not-a-message', id: null }],
  ['[]', { kind: 'not-a-message', id: null }],
  ['{"jsonrpc":"2.0","id":3,"method":7,"result":{}}', { kind: 'not-a-message', id: '3' }],
  ['7', { kind: 'not-a-message', id: null }],
  ['"text"', { kind: 'not-a-message', id: null }],
  ['null', { kind: 'not-a-message', id: null }],
  ['{', { kind: 'not-json' }],
  ['', { kind: 'not-json' }],
];

describe('parseMessage', () => {
  it.each(kinds)('%s', (text, expected) => {
    expect(parseMessage(text)).toMatchObject(expected);
    expect(parseMessage(Buffer.from(text))).toMatchObject(expected);
  });

  it.each([
    ['[1]', ['1']],
    [' [ {"a":[1,2,{"b":"],["}]} , "x,y" ,3 ] ', ['{"a":[1,2,{"b":"],["}]}', '"x,y"', '3']],
    ['[{"n":12345678901234567890},"\\"]\\\\"]', ['{"n":12345678901234567890}', '"\\"]\\\\"']],
  ])('splits the batch %s without changing its members', (text, members) => {
    for (const batch of [text, Buffer.from(text)]) {
      const parsed = parseMessage(batch);
      expect(parsed.kind).toBe('batch');
      const found =
        parsed.kind === 'batch' ? parsed.members.map((member) => Buffer.from(member).toString().trim()) : [];
      expect(found).toEqual(members);
    }
  });

  it('a message cannot change Object.prototype', () => {
    parseMessage('{"jsonrpc":"2.0","id":1,"method":"a","__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('bytes that are not UTF-8', () => {
  const broken = (text: string) => Buffer.concat([Buffer.from(text), Buffer.from([0xff]), Buffer.from('"}')]);

  it.each([
    ['{"jsonrpc":"2.0","id":7,"method":"a', '7'],
    ['{"jsonrpc":"2.0","method":"a', null],
  ])('are not a message, but may show its id: %s', (text, id) => {
    expect(parseMessage(broken(text))).toEqual({ kind: 'not-a-message', id });
    const large = `${text}${'x'.repeat(100_000)}`;
    expect(lookAtMessage(broken(large))).toEqual({ kind: 'not-a-message', id });
  });
});

it('takes a string as it is, with the character that decoding puts in the place of other bytes', () => {
  const text = '{"jsonrpc":"2.0","id":7,"method":"\ufffd"}';
  expect(parseMessage(text)).toMatchObject({ kind: 'request', method: '\ufffd' });
  expect(parseMessage(Buffer.from(text))).toMatchObject({ kind: 'request', method: '\ufffd' });
});

describe('lookAtMessage', () => {
  /** A response of so many bytes. */
  const response = (length: number) => {
    const [start, end] = ['{"jsonrpc":"2.0","id":7,"result":"', '"}'];
    return `${start}${'x'.repeat(length - start.length - end.length)}${end}`;
  };
  const isParsed = (message: Uint8Array | string) => {
    const looked = lookAtMessage(message);
    expect(looked).toMatchObject({ kind: 'response', id: '7' });
    return Object.getOwnPropertyDescriptor(looked, 'message')?.get === undefined;
  };

  it('parses a small message at once, and a large one when more is needed', () => {
    expect(isParsed(Buffer.from(response(64 * 1024 - 1)))).toBe(true);
    const large = Buffer.from(response(64 * 1024));
    expect(isParsed(large)).toBe(false);
    const looked = lookAtMessage(large);
    const message = 'message' in looked ? looked.message : undefined;
    expect(message).toEqual(JSON.parse(large.toString()));
    expect('message' in looked ? looked.message : undefined).toBe(message);
  });

  it('parses a string, however large', () => {
    expect(isParsed(response(100_000))).toBe(true);
  });
});

it.each([
  ['[', true],
  [' \t\r\n[1]', true],
  ['{', false],
  ['x[', false],
  ['', false],
])('recognizes a batch %j: %s', (text, expected) => {
  expect(isBatch(Buffer.from(text))).toBe(expected);
});

it('gives the same message for a string as for bytes', () => {
  expect(textOf('é')).toBe('é');
  expect(textOf(new Uint8Array(Buffer.from('é')))).toBe('é');
});

describe('messages of the bridge', () => {
  const id = stringId('x');

  it.each([
    [errorAnswer(id, -1, 'no'), '{"jsonrpc":"2.0","id":"x","error":{"code":-1,"message":"no"}}'],
    [
      errorAnswer(null, -1, 'no', { a: 1 }),
      '{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"no","data":{"a":1}}}',
    ],
    [resultAnswer(id, { a: 1 }), '{"jsonrpc":"2.0","id":"x","result":{"a":1}}'],
    [requestMessage(id, 'ping', { a: 1 }), '{"jsonrpc":"2.0","id":"x","method":"ping","params":{"a":1}}'],
    [serverRequest(id, 'ping'), '{"jsonrpc":"2.0","id":"x","method":"ping"}'],
    [serverRequest(id, 'ping', { a: 1 }), '{"jsonrpc":"2.0","id":"x","method":"ping","params":{"a":1}}'],
    [notification('a/b'), '{"jsonrpc":"2.0","method":"a/b"}'],
    [notification('a/b', { a: 1 }), '{"jsonrpc":"2.0","method":"a/b","params":{"a":1}}'],
  ])('%s', (message, expected) => {
    expect(message).toBe(expected);
  });

  it('contain no secret for a host; the server gets what the host wrote', () => {
    const secret = 'kept-by-the-process';
    redactor.add(secret);
    const data = { text: secret };
    for (const message of [
      errorAnswer(id, -1, secret, data),
      resultAnswer(id, data),
      requestMessage(id, 'ping', data),
      notification('a/b', data),
    ]) {
      expect(message).toContain('[redacted]');
      expect(message).not.toContain(secret);
    }
    expect(serverRequest(id, 'ping', data)).toContain(secret);
    redactor.forget(secret);
  });
});
