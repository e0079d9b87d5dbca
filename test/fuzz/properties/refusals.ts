import assert from 'node:assert/strict';
import fc from 'fast-check';
import { asMessageId } from '../../../src/protocol/message-id.ts';
import { classifyRejection, type Refusal, type RejectionKind } from '../../../src/remote/http/refusal.ts';
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

/** Everything that cannot carry an id, and what may be left of it. */
const page = fc.record({
  body: fc
    .tuple(
      fc.constantFrom(
        '<!doctype html><p>no</p>',
        'no such session',
        '[404] gone',
        "{'detail': 'no'}",
        '{"detail":"no"}',
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no"}}',
        '{"jsonrpc":"2.0","id":8,"error":{"code":-32000,"message":"no"}}',
        '',
      ),
      fc.constantFrom('text/html', 'text/plain'),
    )
    .map(([text, contentType]) => ({ text, contentType })),
  isCut: fc.boolean(),
});

const others = {
  hadSession: fc.boolean(),
  retryAfter: fc.constantFrom(undefined, '1'),
  isCut: fc.constantFrom(undefined, true as const),
  contentType: fc.constantFrom('application/json', 'text/html', 'text/event-stream', ''),
};

/** How the call is judged. */
function classify({
  hadSession,
  isCut,
  ...refusal
}: Pick<Refusal, 'status' | 'body' | 'contentType' | 'retryAfter'> & {
  readonly hadSession: boolean;
  readonly isCut: true | undefined;
}): RejectionKind {
  return classifyRejection(
    { ...refusal, ...(isCut ? { isCut } : {}), wwwAuthenticate: undefined, location: undefined },
    { hadSession, id: asMessageId(ID), now: 0 },
  );
}

/** How servers refuse messages. */
export const REFUSALS = [
  property(
    'refusals: a call that its refusal may name is neither sent again nor said not to have run',
    fc.record({
      body,
      status: fc.constantFrom(201, 307, 400, 404, 405, 413, 426, 429, 500, 502, 503),
      ...others,
    }),
    ({ body, ...rest }) => {
      const found = classify({ ...rest, body: Buffer.from(body) });
      const mayRunTwice = found.kind === 'session-lost' || found.kind === 'retry-after';
      assert.ok(!mayRunTwice, `it is sent again: ${found.kind}`);
      if (found.kind === 'failed') assert.ok(found.mayHaveRun, 'it is said not to have run');
    },
  ),
  property(
    'refusals: a call that its refusal cannot name is sent again in a new session, or later',
    fc.record({ page, status: fc.constantFrom(404, 429, 503) }),
    ({ page: { body, isCut }, status }) => {
      const found = classify({
        status,
        body: Buffer.from(body.text),
        contentType: body.contentType,
        hadSession: status === 404,
        retryAfter: '1',
        isCut: isCut || undefined,
      });
      assert.equal(found.kind, status === 404 ? 'session-lost' : 'retry-after');
    },
  ),
];
