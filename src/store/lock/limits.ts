/**
 * A lock that was not touched for this long, in milliseconds, is taken over: its holder was killed or suspended. The next instance after a kill waits this
 * long. A living but slow holder loses the lock too, and the reservation of the refresh token decides.
 */
export const STALE_MS = 5_000;

/** How often the holder touches its lock. */
export const UPDATE_MS = 1_000;

/** Versions up to 0.1 lock by a file that they touch every 5 s, and take over after 15 s. */
export const STALE_FILE_MS = 15_000;

/** How long a process waits for others' work under the lock or a reservation: a token request has 30 s and usually takes far less. */
export const WAIT_MS = 30_000;

/** The pause between two checks of a lock that another process holds. It varies, so that waiting processes do not all check at once. */
export const TURN_MIN_MS = 50;
export const TURN_MAX_MS = 250;
