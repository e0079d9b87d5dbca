import { expect, test } from 'vitest';
import { readRetryAfter } from '../../../src/protocol/retry-after.ts';

const now = Date.parse('Wed, 21 Oct 2015 07:28:00 GMT');
const DAY_MS = 86_400_000;

test.each([
  ['0', 0],
  ['30', 30_000],
  [' 30 ', 30_000],
  ['999999999999', DAY_MS],
  ['9'.repeat(400), DAY_MS],
  ['Wed, 21 Oct 2015 07:28:30 GMT', 30_000],
  ['Wed, 21 Oct 2015 07:27:30 GMT', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', DAY_MS],
  ['Wednesday, 21-Oct-15 07:28:30 GMT', 30_000],
  ['Wed Oct 21 07:28:30 2015', 30_000],
  ['Wed, 21-Oct-2015 07:28:30', 30_000],
  ['Wed, 21 Oct 2015 09:28:30 +0200', 30_000],
  ['Wed, 21 Oct 2015 06:28:30 -0100', 30_000],
  ['(x) Wed, 21 Oct 2015 07:28:30 GMT', undefined],
  [undefined, undefined],
  ['', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['1e3', undefined],
  ['soon', undefined],
  ['Wed, soon', undefined],
])('%j → %j', (value, expected) => {
  expect(readRetryAfter(value, now)).toBe(expected);
});
