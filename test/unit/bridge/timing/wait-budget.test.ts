import { describe, expect, test } from 'vitest';
import { CALL_WAIT_MS } from '../../../../src/bridge/timing/limits.ts';
import { callWaitMs, TIMED_OUT, WaitBudget } from '../../../../src/bridge/timing/wait-budget.ts';
import { type Clock, systemClock } from '../../../../src/platform/clock.ts';

const never = new AbortController().signal;
const NEVER = new Promise<never>(() => {});

/** A clock whose time a test sets; a sleep ends at once and moves the clock by its length. */
function settableClock() {
  const slept: number[] = [];
  const clock = {
    ...systemClock,
    at: 0,
    slept,
    monotonic: () => clock.at,
    sleep: async (ms: number, signal?: Parameters<Clock['sleep']>[1]) => {
      signal?.throwIfAborted();
      slept.push(ms);
      clock.at += ms;
    },
  };
  return clock;
}

test.each([
  [false, CALL_WAIT_MS],
  [true, Number.POSITIVE_INFINITY],
])('a call, with --wait %s: %d ms', (waits, ms) => {
  expect(callWaitMs(waits)).toBe(ms);
});

describe('a wait for a promise', () => {
  test('resolves with its value if it comes in time', async () => {
    const budget = new WaitBudget(systemClock, 1_000_000, never);
    expect(await budget.wait(Promise.resolve('here'))).toBe('here');
    await expect(budget.wait(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });

  test('lasts as long as there is time, counted from the beginning', async () => {
    const clock = settableClock();
    const budget = new WaitBudget(clock, 100, never);
    clock.at = 40;
    expect(await budget.wait(NEVER)).toBe(TIMED_OUT);
    expect(clock.slept).toEqual([60]);
    expect(await budget.wait(NEVER)).toBe(TIMED_OUT);
    expect(await budget.wait(Promise.resolve('late'))).toBe(TIMED_OUT);
    expect(clock.slept).toEqual([60]);
  });

  test('is unlimited without a limit', async () => {
    const clock = settableClock();
    const budget = new WaitBudget(clock, Number.POSITIVE_INFINITY, never);
    const later = new Promise((resolve) => setImmediate(resolve, 'here'));
    expect(await budget.wait(later)).toBe('here');
    expect(clock.slept).toEqual([]);
  });

  test.each([1_000_000, Number.POSITIVE_INFINITY])(
    'of %d ms ends when the request is aborted',
    async (ms) => {
      const stop = new AbortController();
      const waiting = new WaitBudget(systemClock, ms, stop.signal).wait(NEVER);
      stop.abort(new Error('given up'));
      await expect(waiting).rejects.toThrow('given up');
      await expect(new WaitBudget(systemClock, ms, stop.signal).wait(NEVER)).rejects.toThrow('given up');
    },
  );

  test('lasts until a deadline that moves', async () => {
    const clock = settableClock();
    const budget = new WaitBudget(clock, () => (clock.at < 500 ? 1_000 : 600), never);
    expect(budget.isWaiting).toBe(false);
    const waiting = budget.wait(NEVER);
    expect(budget.isWaiting).toBe(true);
    expect(await waiting).toBe(TIMED_OUT);
    expect(budget.isWaiting).toBe(false);
    expect(clock.slept).toEqual([250, 250, 100]);
    expect(await budget.pause(5)).toBe(TIMED_OUT);
  });

  test('leaves no timer behind', async () => {
    const clock = { ...systemClock, aborted: 0 };
    clock.sleep = async (_ms, signal) => {
      signal?.addEventListener('abort', () => {
        clock.aborted++;
      });
      return NEVER;
    };
    await new WaitBudget(clock, 1_000, never).wait(Promise.resolve());
    expect(clock.aborted).toBe(1);
  });
});

describe('a pause', () => {
  test.each([
    [99, undefined, 99],
    [100, undefined, 100],
    [101, TIMED_OUT, 100],
  ])('of %d ms of 100: %s', async (ms, expected, slept) => {
    const clock = settableClock();
    expect(await new WaitBudget(clock, 100, never).pause(ms)).toBe(expected);
    expect(clock.slept).toEqual([slept]);
  });

  test('of no remaining time', async () => {
    const clock = settableClock();
    const budget = new WaitBudget(clock, 100, never);
    clock.at = 100;
    expect(await budget.pause(0)).toBe(TIMED_OUT);
    expect(clock.slept).toEqual([]);
  });

  test('counts against the remaining time', async () => {
    const clock = settableClock();
    const budget = new WaitBudget(clock, 100, never);
    clock.at = 30;
    expect(await budget.pause(80)).toBe(TIMED_OUT);
    expect(clock.slept).toEqual([70]);
  });

  test('ends when the request is aborted', async () => {
    const stop = new AbortController();
    const pause = new WaitBudget(systemClock, 1_000_000, stop.signal).pause(1_000_000);
    stop.abort(new Error('given up'));
    await expect(pause).rejects.toThrow('given up');
  });

  test('counts as waiting while it lasts, however it ends', async () => {
    const stop = new AbortController();
    const budget = new WaitBudget(systemClock, 1_000_000, stop.signal);
    const short = budget.pause(1);
    expect(budget.isWaiting).toBe(true);
    await short;
    expect(budget.isWaiting).toBe(false);
    const long = budget.pause(1_000_000);
    expect(budget.isWaiting).toBe(true);
    stop.abort(new Error('given up'));
    await expect(long).rejects.toThrow('given up');
    expect(budget.isWaiting).toBe(false);
  });
});
