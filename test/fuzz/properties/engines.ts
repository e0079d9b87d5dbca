import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatStoreUrl, parseStoreUrl, StoreUrlFault } from '../../../src/protocol/store-url.ts';
import { BadReplyError } from '../../../src/store/redis/errors.ts';
import { ReplyGuard } from '../../../src/store/redis/reply-guard.ts';
import { property } from '../property.ts';
import { hostileText } from '../texts.ts';

const length = fc.oneof(
  fc.integer({ min: -2, max: 40 }).map(String),
  fc.constantFrom('536870912', '1e3', '', ' 1'),
);
const replyPiece = fc.oneof(
  fc
    .tuple(fc.constantFrom('$', '*', ':', '+', '-', '%', '>'), length)
    .map(([type, size]) => `${type}${size}\r\n`),
  fc.integer({ min: 0, max: 40 }).map((size) => `$${size}\r\n${'x'.repeat(size)}\r\n`),
  fc.constantFrom('\r', '\n', '\r\n', '\0', 'x'.repeat(5_000)),
);

/** What the guard says of a stream that arrives in pieces of these sizes. */
function verdict(stream: Buffer, sizes: readonly number[]): string {
  const guard = new ReplyGuard();
  try {
    for (let at = 0, turn = 0; at < stream.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1;
      guard.check(stream.subarray(at, at + size));
      at += size;
    }
    return 'taken';
  } catch (error) {
    if (error instanceof BadReplyError) return 'refused';
    throw error;
  }
}

const CANARY = 'canary-password';
const word = fc.oneof(
  hostileText,
  fc.constantFrom('a.example', '127.0.0.1', '[::1]', '::1', 'ada', '', '%zz', '6379'),
);
const address = fc
  .tuple(
    fc.constantFrom('redis', 'rediss', 'redis+sentinel', 'valkeys+sentinel', 'postgres'),
    fc.constantFrom('', `ada:${CANARY}@`, `:${CANARY}@`, `${CANARY}%@`),
    fc.array(word, { maxLength: 3 }),
    fc.constantFrom('', ':1', ':0', ':99999', `:${CANARY}`),
    fc.array(word, { maxLength: 3 }),
    fc.constantFrom('', '?ca=/ca.pem', '?cert=a&key=b', '?x=y', `?${CANARY}`, '#'),
  )
  .map(
    ([scheme, user, hosts, port, path, query]) =>
      `${scheme}://${user}${hosts.join(',')}${port}${path.map((part) => `/${part}`).join('')}${query}`,
  );

/** What the engine of a shared store sends, and what its address may say. */
export const ENGINES = [
  property(
    'engine: where the answers are cut decides nothing',
    fc.tuple(
      fc.array(replyPiece, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 5 }),
    ),
    ([pieces, sizes]) => {
      const stream = Buffer.from(pieces.join(''), 'latin1');
      assert.equal(verdict(stream, sizes), verdict(stream, [stream.length + 1]));
    },
  ),
  property(
    'engine: an address has one canonical form, and what is wrong with it quotes nothing',
    address,
    (text) => {
      const url = parseStoreUrl(text);
      if (url instanceof StoreUrlFault) {
        assert.ok(!url.expected.includes(CANARY), url.expected);
        return;
      }
      assert.deepEqual(parseStoreUrl(formatStoreUrl(url)), url);
      assert.ok(
        !formatStoreUrl(
          { ...url, files: {}, primary: undefined, endpoints: [{ host: 'h', port: 1 }] },
          true,
        ).includes(CANARY),
      );
    },
  ),
];
