import { type Clock, systemClock } from '../../src/platform/clock.ts';

/** A clock on which `speed` seconds pass in one, so that a test of patience does not need any. */
export function fastClock(speed: number): Clock {
  const wallStart = systemClock.now();
  const monotonicStart = systemClock.monotonic();
  const passed = () => (systemClock.monotonic() - monotonicStart) * speed;
  return {
    now: () => wallStart + passed(),
    monotonic: () => monotonicStart + passed(),
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  };
}
