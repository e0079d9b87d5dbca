import type { Clock } from './clock.ts';

/** Both clocks at one moment, in milliseconds. */
export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/** Clock adjustments (NTP slew, a leap second) stay far below this; a machine that slept or whose clock was set exceeds it. */
const APART_MS = 10_000;

/** Whether the machine slept or its clock was set between the two moments; whatever was known before then has to be checked again. */
export function slept(from: Moment, to: Moment): boolean {
  return Math.abs(to.wall - from.wall - (to.monotonic - from.monotonic)) > APART_MS;
}

/** How much further the time since the machine was started has to be: on some systems it is given in seconds. */
const UPTIME_STEP_MS = 2_000;

/**
 * The same clock, but `monotonic` also counts the time in which the machine slept, which it leaves out on some systems. Each call costs what `uptime` costs.
 * If a system takes the time since the start from its wall clock, setting that forward counts as sleep.
 */
export function countingSleep(clock: Clock): Clock {
  const start = { uptime: clock.uptime(), monotonic: clock.monotonic() };
  let sleptMs = 0;
  return {
    ...clock,
    monotonic: () => {
      const monotonic = clock.monotonic();
      const moreMs = clock.uptime() - start.uptime - (monotonic - start.monotonic);
      if (moreMs - sleptMs > UPTIME_STEP_MS) sleptMs = moreMs;
      return monotonic + sleptMs;
    },
  };
}
