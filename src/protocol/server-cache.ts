/** What a server said of itself last time. Kept per server, without secrets, for the next start; nothing depends on it. */
export interface CachedServer {
  /** The result of `initialize`. */
  readonly initialize?: unknown;
  /** The transport by which it answered: Streamable HTTP or HTTP+SSE. */
  readonly transport?: 'http' | 'sse';
  /** The era of the protocol that it turned out to speak. */
  readonly era?: 'legacy' | 'modern';
  /** Method (`tools/list` …) → its result, where that came in one page. */
  readonly lists?: { readonly [method: string]: unknown };
}

/** Where bridge, eras and remote keep what they find out about the server. */
export interface ServerCache {
  /** Never rejects: what cannot be read is absent. */
  read(): Promise<CachedServer>;
  /** Never rejects: what cannot be kept is not worth a call. */
  update(change: CachedServer): void;
}
