import { expect, test } from 'vitest';
import { aheadMs, freshness } from '../../../../src/auth/refresh/expiry.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const YEAR = 365 * 24 * HOUR;
const AT = 1_800_000_000_000;

test.each([
  ['of an hour', HOUR, 60 * SECOND],
  ['of ten minutes', 600 * SECOND, 60 * SECOND],
  ['of a minute', 60 * SECOND, 6 * SECOND],
  ['of five seconds: at least one second', 5 * SECOND, SECOND],
  ['of one second: never more than half', SECOND, SECOND / 2],
  ['of a day', 24 * HOUR, 60 * SECOND],
])('a token %s is replaced before it expires', (_, lifetimeMs, expected) => {
  expect(aheadMs(lifetimeMs)).toBe(expected);
});

test('each process that shares a login through an engine has its own part of the time ahead', () => {
  const ahead = { maxMs: 300_000, share: 0.5 };
  expect(aheadMs(HOUR, ahead)).toBe(150_000);
  expect(aheadMs(20 * 60_000, ahead)).toBe(60_000);
  expect(freshness({ obtainedAt: 0, expiresAt: HOUR }, HOUR - 150_001, ahead)).toBe('fresh');
  expect(freshness({ obtainedAt: 0, expiresAt: HOUR }, HOUR - 150_000, ahead)).toBe('due');
});

test.each([
  ['no expiry: until a 401', undefined, YEAR, 'fresh'],
  ['just issued', HOUR, 0, 'fresh'],
  ['a moment before it is due', HOUR, HOUR - 60 * SECOND - 1, 'fresh'],
  ['due', HOUR, HOUR - 60 * SECOND, 'due'],
  ['a moment before its end', HOUR, HOUR - 1, 'due'],
  ['at its end', HOUR, HOUR, 'expired'],
  ['the clock went a year ahead', HOUR, YEAR, 'expired'],
  ['the clock went a year back: its age is unknown', HOUR, -YEAR, 'fresh'],
  ['the clock went a second back', HOUR, -SECOND, 'fresh'],
  ['a lifetime of nothing is a server that does not know', 0, SECOND, 'fresh'],
  ['expired before it was issued', -HOUR, SECOND, 'fresh'],
] as const)('%s', (_, lifetimeMs, age, expected) => {
  const tokens =
    lifetimeMs === undefined ? { obtainedAt: AT } : { obtainedAt: AT, expiresAt: AT + lifetimeMs };
  expect(freshness(tokens, AT + age)).toBe(expected);
});

test('a clock that is off by a year either way costs at most one refresh: the new token is fresh by the same clock', () => {
  for (const shift of [YEAR, -YEAR]) {
    const now = AT + shift;
    expect(freshness({ obtainedAt: now, expiresAt: now + HOUR }, now + SECOND)).toBe('fresh');
    expect(freshness({ obtainedAt: now, expiresAt: now + HOUR }, AT)).not.toBe('due');
  }
});
