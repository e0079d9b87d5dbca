/** The Sentinels are queried in parallel; a live one answers in two round trips. */
export const SENTINEL_MS = 1_000;
/** TCP, TLS and authentication: five round trips, which take a second and a half on the slowest networks, and as long again on a busy machine. */
export const CONNECT_MS = 3_000;
/** One command. The first operation of a process, with a new connection, so ends within 5 s; silent Sentinels add their second. */
export const COMMAND_MS = 2_000;
/**
 * The last part of that time, in which a second connection shows whether the engine is silent or only the first connection is dead: enough to connect where a
 * round trip takes 300 ms.
 */
export const DOUBT_MS = 1_200;
/** A thousand programs may miss an answer at the same moment: the second connection is opened after a random part of this, and not at all if the answer comes. */
export const SPREAD_MS = 200;
/** At least so much of it: an answer that is arriving shows itself in that time. */
export const LOOK_MS = 50;
/**
 * How long an operation waits for a new connection to an engine that has answered before: a person waits for one silent command or one silent connection, and
 * not for both. The attempt itself has CONNECT_MS, and the next operation finds what it has led to. Where connecting takes long, it is twice of what the last one took.
 */
export const RECONNECT_WAIT_MS = 2_000;
/** The same, if the engine did not answer when it was last asked. */
export const SILENT_WAIT_MS = 500;
/** What no operation waits for begins this long after the first one: a start has more urgent work. */
export const LATER_MS = 100;
/** A connection for commands is closed after this idle time: a thousand idle programs then have one connection each, not two. */
export const IDLE_MS = 10_000;
/** Between two attempts to connect: the first pause, and the longest. A program then notices within 3 s that the engine is back. */
export const FIRST_PAUSE_MS = 100;
export const LONGEST_PAUSE_MS = 2_000;
/** The same after an attempt that was not answered, which took long enough: those who ask several times in a row fail at once. */
export const SILENT_PAUSE_MS = 1_000;
/** How often a connection for subscriptions is pinged: a suspended server still answers at the TCP level. */
export const PING_MS = 75_000;
