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
