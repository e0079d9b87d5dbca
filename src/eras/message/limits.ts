/** How often a modern server may ask for input for one call, as in the SDK's clients; a server that asks more often is in a loop. */
export const MAX_INPUT_ROUNDS = 10;

/** The pause before a call is repeated if the server gave a state but asked no question, to shed load; as in the SDK's clients. */
export const STATE_ONLY_PAUSE_MS = 250;

/** How long a server may take to answer `server/discover` before it counts as a legacy server; some of those answer nothing before `initialize`. */
export const DISCOVER_MS = 5_000;

/** How long a question of a legacy server waits for the answer of the modern host. */
export const SUSPENDED_CALL_MS = 10 * 60_000;

/** How many pages of `tools/list` are fetched after a header mismatch, so that an endless list is not followed. */
export const MAX_TOOL_PAGES = 50;

/** The time limit for fetching the list of tools after a header mismatch; the refused call waits for it. */
export const LEARN_TOOLS_MS = 30_000;

/** The nesting limit for a message that is translated: no real one comes near it, and serializing a much deeper one would overflow the stack. */
export const MAX_NESTING = 1_000;
