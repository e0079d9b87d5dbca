/** A server's description of itself from last time. Stored per server, without secrets, for the next start; nothing depends on it. */
export interface CachedServer {
  /** The result of `initialize`. */
  readonly initialize?: unknown;
  /** The transport that worked: Streamable HTTP or HTTP+SSE. */
  readonly transport?: 'http' | 'sse';
  /** The era of the protocol that it turned out to speak. */
  readonly era?: 'legacy' | 'modern';
  /** Method (`tools/list` …) → its result, if it was complete in one page. */
  readonly lists?: { readonly [method: string]: unknown };
}

/** Stores what bridge, eras and remote find out about the server. */
export interface ServerCache {
  /** Never rejects: an unreadable value counts as absent. */
  read(): Promise<CachedServer>;
  /** Never rejects: a failed write is not worth failing a call. */
  update(change: CachedServer): void;
}
