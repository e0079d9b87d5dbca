/** src/README.md, promise 1: the host's `initialize` is answered within a second; the rest of it is for slow machines. */
export const STAND_IN_AFTER_MS = 800;

/**
 * src/README.md, "Before the server is ready": many sign-ins are a redirect that needs no hand, and hosts that list once deserve the real list. All
 * lists of a start share it. Of some hosts more is known: host-profile.ts.
 */
export const LIST_WAIT_MS = 20_000;

/** The same for calls: hosts commonly time out after 60 s, and an error that says why must come before. */
export const CALL_WAIT_MS = 45_000;

/**
 * An elicitation that is declined sooner than this was declined by the host's program, and no person has seen it: hosts that decline by themselves
 * take 1 to 9 ms, and a person has to read it first.
 */
export const REFUSED_BY_PROGRAM_MS = 1_000;

/** If the sign-in has opened a browser, the host shows the address this much later: both at once would open two tabs. */
export const BROWSER_HEAD_START_MS = 10_000;

/** How often the bridge checks in that time whether the browser turned out not to open. */
export const BROWSER_LOOK_MS = 500;

/**
 * End of stdin without `--wait`: how long answers in flight may still take. Hosts that end a bridge this way send SIGTERM after up to 2.2 s and
 * SIGKILL after up to 4.2 s, or end themselves, and both are noticed: this is longer than any of them allows, and soon enough for a bridge
 * whose host does neither.
 */
export const STDIN_ENDED_MS = 10_000;

/** After the end of stdin: how often the bridge checks whether the process that started it still exists. */
export const PARENT_LOOK_MS = 250;

/** SIGTERM, or the parent's end: how long answers in flight may still take. With END_SESSION_MS, the exit comes in under two seconds. */
export const CLOSING_GRACE_MS = 1_200;

/**
 * The longest pause between two attempts to open a session while the shared store is away. The attempts ask neither the MCP server nor the
 * authorization server, so they need not become rare, and a start goes on soon after the store is back.
 */
export const STORE_AWAY_PAUSE_MS = 2_000;

/** How long messages wait until a new session has the settings of the lost one; then they go out while the rest is restored. */
export const RESTORING_MS = 10_000;

/** How long the server may take to answer one request that restores the session: a failure is not reported. */
export const RESTORE_REQUEST_MS = 30_000;

/**
 * How long an answer of the host waits for the messages before it to be accepted. A server may send a request before it accepts the notification that caused
 * it, and would wait forever for an answer that waits for it.
 */
export const ANSWER_TURN_MS = 1_000;

/** How long the server may take to accept the end of the session. */
export const END_SESSION_MS = 400;

/** After a cancellation was accepted, its response stream is kept this long for a server that still answers. */
export const CANCELLED_STREAM_MS = 10_000;

/** How often a lost session is replaced for one message. A server that loses it more often gets no further attempt. */
export const MAX_REOPENINGS = 2;

/** How often one message waits for a `Retry-After`; each wait is bounded by its own limit. */
export const MAX_DELAYS = 3;

/** Host bytes on their way to the server before stdin is paused: a host that floods is slowed, not stored. */
export const MAX_UNSENT_BYTES = 64 * 1024 * 1024;

/** How often the bridge checks whether the machine slept; after waking, a call that comes first does the check itself. */
export const WAKE_LOOK_MS = 2_000;

/** A pause between two checks that is longer than planned by this much was sleep: a busy machine is late by less. */
export const SLEPT_MS = 10_000;

/** How long a server may take to answer a ping before its connections are given up; no longer than the interval itself. */
export const PING_TIMEOUT_MS = 30_000;

/** A session that is lost sooner than this after it was opened counts as forgotten, and the next but one is opened with a pause. */
export const SHORT_SESSION_MS = 10_000;
