/** An owner record is below 1 KiB. */
export const MAX_RESERVATION_BYTES = 16 * 1024;

/** How often the owner touches its reservation while it holds it, in milliseconds: a process that cannot look the owner up has no other sign of life. */
export const HEARTBEAT_MS = 2_000;
