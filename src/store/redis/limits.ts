/** The Sentinels are queried in parallel; a live one answers in two round trips. */
export const SENTINEL_MS = 1_000;
/** TCP, TLS and authentication: five round trips, which take a second and a half on the slowest networks, and as long again on a busy machine. */
export const CONNECT_MS = 3_000;
/** One command. Including a new connection, an operation ends within the 5 s of the engine; silent Sentinels add their second. */
export const COMMAND_MS = 2_000;
/** What no operation waits for begins this long after the first one: a start has more urgent work. */
export const LATER_MS = 100;
/** A connection for commands is closed after this idle time: a thousand idle programs then have one connection each, not two. */
export const IDLE_MS = 10_000;
/** Between two attempts to connect: the first pause, and the longest. A program then notices within 3 s that the engine is back. */
export const FIRST_PAUSE_MS = 100;
export const LONGEST_PAUSE_MS = 2_000;
/** How often a connection for subscriptions is pinged: a suspended server still answers at the TCP level. */
export const PING_MS = 75_000;
