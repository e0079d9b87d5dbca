import type { ListMethod } from '../../protocol/list-methods.ts';

/** What the server said last time: kept per server, without secrets, for the stand-in. */
export interface CachedServer {
  /** The result of `initialize`. */
  readonly initialize?: unknown;
  /** Of which era of the protocol it is. */
  readonly era?: 'legacy' | 'modern';
  /** The results of lists that came in one page. */
  readonly lists?: { readonly [method in ListMethod]?: unknown };
}

/** Where the bridge keeps it; the composition backs this with a file. */
export interface ServerCache {
  read(): Promise<CachedServer>;
  /** Never rejects: what cannot be kept is not worth a call. */
  update(change: CachedServer): void;
}
