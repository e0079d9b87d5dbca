import { type Clock, systemClock } from '../../../src/platform/clock.ts';

/** A clock on which `speed` seconds pass in one, so that a test of patience does not need any. */
export function fastClock(speed: number): Clock {
  const wallStart = systemClock.now();
  const monotonicStart = systemClock.monotonic();
  const passed = () => (systemClock.monotonic() - monotonicStart) * speed;
  return {
    now: () => wallStart + passed(),
    monotonic: () => monotonicStart + passed(),
    uptime: () => passed(),
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  };
}

/** The system's clock, and from `hurry` on one on which `speed` seconds pass in one. */
export function hurriedClock(speed: number): { readonly clock: Clock; hurry(): void } {
  let now: Clock = systemClock;
  return {
    clock: {
      now: () => now.now(),
      monotonic: () => now.monotonic(),
      uptime: () => now.uptime(),
      sleep: (ms, signal) => now.sleep(ms, signal),
    },
    hurry: () => {
      now = fastClock(speed);
    },
  };
}

/** A clock on which no pause ends that is longer than this: for what must not depend on one, such as a time limit or a delay. */
export function stillClock(longestMs = 0): Clock {
  return {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(ms > longestMs ? MAX_TIMER_MS : ms, signal),
  };
}

/** As long as a timer of Node's can be. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A clock on which no pause lasts longer than a moment, and which tells how long each was to be. */
export function recordingClock(): Clock & { readonly asked: number[] } {
  const asked: number[] = [];
  return {
    ...systemClock,
    asked,
    sleep: (ms, signal) => {
      asked.push(ms);
      return systemClock.sleep(Math.min(ms, 50), signal);
    },
  };
}

/** A monotonic clock on which a pause of this length takes no time, and every other what it takes; the wall clock goes on as it is. */
export function skippingClock(pauseMs: number): Clock {
  let skippedMs = 0;
  return {
    now: systemClock.now,
    monotonic: () => systemClock.monotonic() + skippedMs,
    uptime: systemClock.uptime,
    sleep: async (ms, signal) => {
      if (ms !== pauseMs) return systemClock.sleep(ms, signal);
      skippedMs += ms;
      return systemClock.sleep(0, signal);
    },
  };
}
