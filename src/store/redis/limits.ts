/** The Sentinels are asked side by side; one that is there answers in two round trips. */
export const SENTINEL_MS = 1_000;
/** TCP, TLS and authentication: five round trips, for which the slowest networks need a second and a half, and a busy machine as much again. */
export const CONNECT_MS = 3_000;
/** One command. With a connection before it an operation ends within the 5 s that the engine has; silent Sentinels add their second. */
export const COMMAND_MS = 2_000;
/** A connection for commands is closed when nothing was asked for so long: a thousand idle programs then have one connection each, not two. */
export const IDLE_MS = 10_000;
/** Between two attempts to connect: the first pause, and the longest. A program then notices within 3 s that the engine is back. */
export const FIRST_PAUSE_MS = 100;
export const LONGEST_PAUSE_MS = 2_000;
/** How often a connection for subscriptions is asked for a sign of life: a server that is suspended still answers for TCP. */
export const PING_MS = 75_000;
