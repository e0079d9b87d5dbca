/** Both clocks at one moment. */
export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/** Clock discipline (NTP slew, a leap second) stays far below; a machine that slept or whose clock was set does not. */
const APART_MS = 10_000;

/** The machine slept, or its clock was set, between the two moments: what was known before has to be looked up again. */
export function slept(from: Moment, to: Moment): boolean {
  return Math.abs(to.wall - from.wall - (to.monotonic - from.monotonic)) > APART_MS;
}
