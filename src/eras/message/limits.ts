/** How often a modern server may ask for more input before one call: as the SDK's own clients; a server that goes on is a loop. */
export const MAX_INPUT_ROUNDS = 10;

/** The pause before a call is repeated for which the server asked nothing but gave a state: it sheds load. As the SDK's own clients. */
export const STATE_ONLY_PAUSE_MS = 250;

/** How long a server may take to say of which era it is before it is taken for a legacy one, some of which answer nothing before `initialize`. */
export const DISCOVER_MS = 5_000;

/** How long a question of a legacy server waits for the modern host to come back with the answer. */
export const SUSPENDED_CALL_MS = 10 * 60_000;

/** Pages of `tools/list` that are fetched again after a header mismatch; a list without end is not followed. */
export const MAX_TOOL_PAGES = 50;

/** How long the list of tools may take that a call is refused for the lack of: the call waits behind it. */
export const LEARN_TOOLS_MS = 30_000;

/** Brackets in brackets of a message that is translated: no real one comes near, and writing a much deeper one anew would use up the stack. */
export const MAX_NESTING = 1_000;
