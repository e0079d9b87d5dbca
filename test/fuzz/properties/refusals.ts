import assert from 'node:assert/strict';
import fc from 'fast-check';
import { asMessageId } from '../../../src/protocol/message-id.ts';
import { classifyRejection } from '../../../src/remote/http/refusal.ts';
import { property } from '../property.ts';

const ID = '7';

/** An error under an id, as a server may write it that has taken the id out of the message. */
const error = fc.record({
  id: fc.constantFrom('7', '"7"', '7.0'),
  isLast: fc.boolean(),
  rest: fc.constantFrom(
    '"jsonrpc":"2.0","error":{"code":-32000,"message":"no valid session"}',
    '"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"}',
    '"error":"no"',
    '"jsonrpc":"2.0","error":null,"detail":[{}]',
    '"jsonrpc":"2.0","result":{"a":"}"}',
  ),
});
const text = error.map(({ id, isLast, rest }) => (isLast ? `{${rest},"id":${id}}` : `{"id":${id},${rest}}`));

/** Everything that still begins as JSON. */
const body = fc
  .record({
    text,
    around: fc.constantFrom(
      (json: string) => json,
      (json: string) => `[${json}]`,
      (json: string) => `[{"jsonrpc":"2.0","id":8,"result":{}}, ${json}]`,
      (json: string) => `[[${json}]]`,
      (json: string) => `\ufeff${json}`,
      (json: string) => `\r\n ${json}\n`,
      (json: string) => `${json}${json}`,
      (json: string) => `${json}\0`,
      (json: string) => json.replace(/}$/, ',}'),
      (json: string) => json.replace('"error"', '"\xff":1,"error"'),
    ),
    isLatin: fc.boolean(),
    /** The share of it that comes. */
    part: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ text, around, isLatin, part }) => {
    const whole = around(text);
    const bytes = Buffer.from(whole, isLatin && !whole.startsWith('\ufeff') ? 'latin1' : 'utf8');
    const least = bytes.findIndex((byte) => byte === 0x5b || byte === 0x7b) + 1;
    return bytes.subarray(0, Math.max(least, Math.ceil(bytes.length * part)));
  });

/** How servers refuse messages. */
export const REFUSALS = [
  property(
    'refusals: a call that its refusal may name is neither sent again nor said not to have run',
    fc.record({
      body,
      status: fc.constantFrom(201, 307, 400, 404, 405, 413, 426, 429, 500, 502, 503),
      hadSession: fc.boolean(),
      retryAfter: fc.constantFrom(undefined, '1'),
    }),
    ({ body, status, hadSession, retryAfter }) => {
      const refusal = { status, body, retryAfter, contentType: 'application/json' };
      const found = classifyRejection(
        { ...refusal, wwwAuthenticate: undefined, location: undefined },
        { hadSession, id: asMessageId(ID), now: 0 },
      );
      const mayRunTwice = found.kind === 'session-lost' || found.kind === 'retry-after';
      assert.ok(!mayRunTwice, `it is sent again: ${found.kind}`);
      if (found.kind === 'failed') assert.ok(found.mayHaveRun, 'it is said not to have run');
    },
  ),
];
