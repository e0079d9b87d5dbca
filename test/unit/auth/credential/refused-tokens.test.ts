import { expect, test } from 'vitest';
import { RefusedTokens } from '../../../../src/auth/credential/refused-tokens.ts';
import { isBrowserPause } from '../../../../src/auth/sign-in/ensure.ts';

const MINUTE = 60_000;

test('the token that answered a 401 is refused as well: hopeless', () => {
  const refusals = new RefusedTokens();
  expect(refusals.add('T1', 0)).toBe(false);
  refusals.replaced(10);
  expect(refusals.add('T2', 20)).toBe(true);
  expect(refusals.add('T1', 30)).toBe(true);
});

test('the same token refused by many requests counts once', () => {
  const refusals = new RefusedTokens();
  for (let request = 0; request < 10; request++) expect(refusals.add('T1', request)).toBe(false);
});

test('a token that worked, or served for long, starts a new row', () => {
  const refusals = new RefusedTokens();
  refusals.add('T1', 0);
  refusals.replaced(1);
  refusals.clear();
  expect(refusals.add('T2', 2)).toBe(false);
  refusals.replaced(3);
  expect(refusals.add('T3', 3 + 5 * MINUTE)).toBe(false);
});

const face = { nonce: 'n', pid: 1, startedAt: 0, deadline: 1 } as const;
const AT = 1_800_000_000_000;

test.each([
  ['no sign-in before', undefined, false],
  ['one that failed with a tab open', { ...face, phase: 'failed', browserOpenedAt: AT - MINUTE }, true],
  ['one whose process was killed', { ...face, phase: 'pending', browserOpenedAt: AT - 9 * MINUTE }, true],
  ['one that failed ten minutes ago', { ...face, phase: 'failed', browserOpenedAt: AT - 10 * MINUTE }, false],
  ['one that failed before any tab', { ...face, phase: 'failed' }, false],
  ['one that ended well', { ...face, phase: 'done', browserOpenedAt: AT - MINUTE }, false],
  ['a clock that was set back a year', { ...face, phase: 'failed', browserOpenedAt: AT + 3e10 }, false],
] as const)('browser held back after %s', (_, before, expected) => {
  expect(isBrowserPause(before, AT)).toBe(expected);
});
