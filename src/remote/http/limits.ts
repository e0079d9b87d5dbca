/** Same-origin 307/308 of the MCP address followed for one message: `/mcp` → `/mcp/` is common, more than a few is a loop. */
export const MAX_REDIRECTS = 3;

/** How much of a refusal's body is read: enough for a JSON-RPC error or the gist of an HTML page. */
export const MAX_REFUSAL_BYTES = 64 * 1024;

/** How much of a body is scanned for a short quotation: no quotation is longer than a line. */
export const MAX_EXCERPT_BYTES = 32 * 1024;

/** How much of it is searched for words about a session: they are in a sentence, not after a page. */
export const MAX_SESSION_WORDS_CHARACTERS = 200;

/** How long the body of a refusal may take. After that it counts as cut off. */
export const REFUSAL_BODY_MS = 5_000;

/** test/README.md, fault 16: a server's `Retry-After` is honoured up to this; beyond it the host gets the error. */
export const MAX_RETRY_AFTER_MS = 60_000;

/** First and longest pause between attempts to reach a server that is away. */
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_LONGEST_MS = 30_000;

/** How long a closed event stream waits before it is reopened, unless the server set `retry` (HTML §9.2 leaves it to us). */
export const RECONNECT_DEFAULT_MS = 1_000;

/** A server's `retry` is honoured within these limits: 0 would cause a storm, a day would lose messages. */
export const RECONNECT_SHORTEST_MS = 50;
export const RECONNECT_LONGEST_MS = 60_000;

/** test/README.md, fault 5: how long the headers of an answer may take where nothing slow is behind them: the opening of HTTP+SSE. */
export const HEADERS_MS = 30_000;

/** HTTP+SSE: the `endpoint` event is the first thing on the stream. A stream without it is that of another transport. */
export const ENDPOINT_EVENT_MS = 10_000;

/** RFC 6265 §6.1 asks for at least 4,096 bytes a cookie and 50 a domain; more from one server is not stickiness. */
export const MAX_COOKIE_CHARACTERS = 4_096;
export const MAX_COOKIES = 50;

/**
 * How long the answer to `initialize` may take to begin, and again to be complete. A server that is started by its first request takes 40 s and more; hosts
 * wait for 30 to 60 s, and the bridge answers them in its place meanwhile.
 */
export const INITIALIZE_MS = 60_000;

/** How long the server may take to accept `notifications/initialized`: all messages of the host wait behind it. */
export const INITIALIZED_MS = 10_000;

/** How long the server may take to accept a notification, or an answer to a request of its own: as for other headers behind which nothing slow is. */
export const ACCEPT_MS = 30_000;

/** How long the bridge tries to resume a broken response stream before the request that it was for gets an error. */
export const RESUME_LIMIT_MS = 60_000;

/** A stream of the server's own that brought nothing and ended sooner than this is reopened with a growing pause. */
export const SHORT_STREAM_MS = 5_000;
