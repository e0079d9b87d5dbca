import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadReplyError } from '../../../../src/store/redis/errors.ts';
import { ReplyGuard } from '../../../../src/store/redis/reply-guard.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

function passes(text: string, sizes: readonly number[] = [text.length]): boolean {
  const guard = new ReplyGuard();
  try {
    for (let at = 0, turn = 0; at < text.length; turn++) {
      const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
      guard.check(bytes(text.slice(at, at + size)));
      at += size;
    }
    return true;
  } catch (error) {
    if (error instanceof BadReplyError) return false;
    throw error;
  }
}

const bulk = (length: number) => `$${length}\r\n${'x'.repeat(length)}\r\n`;
const CELL = 300 * 1024;

test.each([
  ['a status', '+OK\r\n'],
  ['an error', '-LOADING Redis is loading the dataset in memory\r\n'],
  ['numbers', ':0\r\n:-1\r\n:1795898224558\r\n'],
  ['texts', '$0\r\n\r\n$-1\r\n$2\r\n\r\n\r\n'],
  ['arrays', '*0\r\n*-1\r\n*2\r\n*1\r\n:1\r\n$1\r\na\r\n'],
  ['a text that looks like a reply', '$13\r\n$536870912\r\n\r\n'],
  ['the largest cell', `*2\r\n:1\r\n${bulk(CELL)}`],
  ['many cells, one after the other', bulk(CELL).repeat(4)],
])('accepts %s, split anywhere', (_, text) => {
  expect(passes(text)).toBe(true);
  expect(passes(text, [1, 3, 70_000])).toBe(true);
});

describe('refused', () => {
  test.each([
    ['512 MB, when they are announced', '$536870912\r\n'],
    ['in an array as well', '*2\r\n:1\r\n$536870912\r\n'],
    ['a length beyond all numbers', `$${'9'.repeat(30)}\r\n`],
    ['a negative length', '$-2\r\n'],
    ['a length that is none', '$1x\r\n'],
    ['an array without end', '*536870912\r\n'],
    ['more elements than an array may have', '*99999999999\r\n'],
    ['arrays in arrays', '*1\r\n'.repeat(10_000)],
    ['many texts in one answer', `*3\r\n${bulk(CELL).repeat(2)}`],
    ['a line without end', `+${'x'.repeat(5000)}`],
    ['a line that ends twice', '+OK\rX\r\n'],
    ['a line that ends in LF only', '+OK\n'],
    ['a number that is none', ':1e9\r\n'],
    ['a type of RESP3', '%1\r\n+a\r\n+b\r\n'],
    ['a web server', 'HTTP/1.1 400 Bad Request\r\n'],
    ['an empty line', '\r\n'],
  ])('%s', (_, text) => {
    expect(passes(text)).toBe(false);
    expect(passes(text, [1])).toBe(false);
  });
});

test('the result does not depend on where it is split', () => {
  const piece = fc.constantFrom(
    '$',
    '*',
    ':',
    '+',
    '-',
    '1',
    '2',
    '0',
    '9',
    '\r\n',
    '\r',
    '\n',
    'x',
    bulk(3),
    '*2\r\n',
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.array(fc.nat(5), { minLength: 1 }),
      (pieces, sizes) => {
        const text = pieces.join('');
        expect(passes(text, sizes)).toBe(passes(text));
      },
    ),
  );
});
