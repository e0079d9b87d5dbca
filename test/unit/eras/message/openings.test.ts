import { describe, expect, test } from 'vitest';
import {
  classifyDiscover,
  classifyInitialize,
  openingOf,
} from '../../../../src/eras/message/probe-classifier.ts';
import type { Refusal } from '../../../../src/remote/http/refusal.ts';
import type { Reply } from '../../../../src/remote/transport/transport.ts';

const message = (json: string): Reply => ({
  kind: 'message',
  json: Buffer.from(json),
  sessionId: undefined,
});
const refused = (status: number, body: string): Reply =>
  ({ kind: 'refused', refusal: { status, body: Buffer.from(body) } as unknown as Refusal }) as Reply;
const opening = (json: string) => openingOf(message(json));

describe('which part of a reply is the answer', () => {
  const response = '{"jsonrpc":"2.0","id":1,"result":{}}';
  const bare = '{"error":{"code":-32022}}';

  test.each<[string, Reply, object]>([
    ['a message', message(response), { status: 200, answer: { kind: 'response', id: '1', failed: false } }],
    [
      'an error without an id',
      message(bare),
      {
        status: 200,
        answer: { kind: 'response', id: '""', failed: true, message: { error: { code: -32_022 } } },
      },
    ],
    ['a refusal with one', refused(400, bare), { status: 400, answer: { id: '""' } }],
    ['a refusal with an answer', refused(404, response), { status: 404, answer: { id: '1' } }],
  ])('%s', (_, reply, expected) => {
    expect(openingOf(reply)).toMatchObject(expected);
  });

  test.each(['', '{', 'null', '7', '{"error":null}', '{"error":{"code":"-32022"}}', '{"error":"x"}', '[]'])(
    'a refusal with %j has no answer',
    (body) => {
      expect(openingOf(refused(400, body))).toEqual({ status: 400, answer: undefined });
    },
  );

  test('a stream has no answer yet, and an accepted message has none', () => {
    expect(openingOf({ kind: 'events' } as Reply)).toEqual({ status: 200, answer: undefined });
    expect(openingOf({ kind: 'accepted' } as Reply)).toEqual({ status: 202, answer: undefined });
  });

  test.each(['sign-in', 'no-token'])('%s: a 401 without an answer', (kind) => {
    expect(openingOf({ kind } as Reply)).toEqual({ status: 401, answer: undefined });
  });
});

describe('invalid answers', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"error":{"code":-32600}}', 'ask'],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":-32603}}', 'unknown'],
    ['{"jsonrpc":"2.0","id":1,"error":"x"}', 'unknown'],
    ['{"jsonrpc":"2.0","id":1,"result":7}', 'unknown'],
    ['{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":7}}', 'legacy'],
  ])('to initialize: %s: %s', (json, expected) => {
    expect(classifyInitialize(opening(json))).toBe(expected);
  });

  test.each([
    ['{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":"2026-07-28"}}', 'legacy'],
    ['{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":[]}}', 'modern'],
    ['{"jsonrpc":"2.0","id":1,"result":null}', 'legacy'],
    ['{"jsonrpc":"2.0","id":1,"error":"x"}', 'legacy'],
  ])('to server/discover: %s: %s', (json, expected) => {
    expect(classifyDiscover(opening(json))).toBe(expected);
  });
});
