import { expect, test } from 'vitest';
import { withBrowsers } from '../../../../src/store/lease/earlier-browsers.ts';
import type { SignInStatus } from '../../../../src/store/lease/lease.ts';

const before = { nonce: 'one', pid: 1, startedAt: 10, deadline: 1_000 } as const;
const next: SignInStatus = { ...before, nonce: 'two', phase: 'starting', startedAt: 100 };

test('without an earlier status, the status is unchanged', () => {
  expect(withBrowsers(next, undefined)).toEqual(next);
});

test('the next status of the same sign-in keeps earlier values unless it replaces them', () => {
  const last: SignInStatus = { ...next, phase: 'pending', browserOpenedAt: 110, killedBrowsers: [20] };
  expect(withBrowsers({ ...next, phase: 'failed' }, last)).toEqual({ ...last, phase: 'failed' });
  expect(withBrowsers({ ...last, browserOpenedAt: 0 }, last).browserOpenedAt).toBe(0);
});

test('keeps an unanswered browser for the next sign-in', () => {
  const lapsed: SignInStatus = { ...before, phase: 'failed', browserOpenedAt: 20, killedBrowsers: [5] };
  expect(withBrowsers(next, lapsed)).toEqual({ ...next, browserOpenedAt: 20, killedBrowsers: [5] });
});

test('keeps the browsers of killed sign-ins as such, the last three', () => {
  const killed: SignInStatus = {
    ...before,
    phase: 'pending',
    browserOpenedAt: 20,
    killedBrowsers: [1, 2, 3],
  };
  expect(withBrowsers(next, killed)).toEqual({ ...next, killedBrowsers: [2, 3, 20] });
});

test('keeps nothing after a successful sign-in, nor in its own status', () => {
  const done: SignInStatus = { ...before, phase: 'done', browserOpenedAt: 20, killedBrowsers: [1] };
  expect(withBrowsers(next, done)).toEqual(next);
  const killed: SignInStatus = { ...before, phase: 'pending', browserOpenedAt: 20 };
  expect(withBrowsers({ ...next, phase: 'done' }, killed)).toEqual({ ...next, phase: 'done' });
});
