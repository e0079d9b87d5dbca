import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { Stop } from '../../../src/platform/stop.ts';

/** The timers that keep this process alive. */
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('a sleep ends after its time, and leaves no listener behind', async () => {
  const { signal } = new AbortController();
  const from = performance.now();
  await systemClock.sleep(20, signal);
  expect(performance.now() - from).toBeGreaterThanOrEqual(19);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test.each([
  ['AbortController', new AbortController()],
  ['Stop', new Stop()],
])('a sleep ends with the reason of its signal (%s), and leaves no timer behind', async (_, stop) => {
  const before = timers();
  const sleep = systemClock.sleep(60_000, stop.signal);
  expect(timers()).toBe(before + 1);
  const reason = new Error('no longer wanted');
  stop.abort(reason);
  await expect(sleep).rejects.toBe(reason);
  expect(timers()).toBe(before);
  await expect(systemClock.sleep(0, stop.signal)).rejects.toBe(reason);
});
