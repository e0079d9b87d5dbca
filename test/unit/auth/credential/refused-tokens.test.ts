import { expect, test } from 'vitest';
import { RefusedTokens } from '../../../../src/auth/credential/refused-tokens.ts';

const MINUTE = 60_000;

test('a refused token that was the answer to a 401: hopeless', () => {
  const refusals = new RefusedTokens();
  expect(refusals.add('T1', 0)).toBe(false);
  refusals.replaced(10);
  expect(refusals.add('T2', 20)).toBe(true);
  expect(refusals.add('T1', 30)).toBe(true);
});

test('the same token refused for many requests counts once', () => {
  const refusals = new RefusedTokens();
  for (let request = 0; request < 10; request++) expect(refusals.add('T1', request)).toBe(false);
});

test('a token that worked, or was in use for long, restarts the count', () => {
  const refusals = new RefusedTokens();
  refusals.add('T1', 0);
  refusals.replaced(1);
  refusals.clear();
  expect(refusals.add('T2', 2)).toBe(false);
  refusals.replaced(3);
  expect(refusals.add('T3', 3 + 5 * MINUTE)).toBe(false);
});
