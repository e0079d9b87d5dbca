/** An owner record is below 1 KiB. */
export const MAX_RESERVATION_BYTES = 16 * 1024;

/** How often the owner touches its reservation, from the reservation to the response, in milliseconds: a process that cannot look the owner up has nothing else to go by. */
export const HEARTBEAT_MS = 2_000;
