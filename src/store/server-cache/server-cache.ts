import type { CachedServer, ServerCache } from '../../protocol/server-cache.ts';
import { readCachedServer, serializeCachedServer, writeCachedServer } from './file.ts';

export interface ServerCacheFileOptions {
  /** Undefined: nothing outlives this process. */
  readonly folder: string | undefined;
  readonly key: string;
  readonly now: () => number;
  /** Delays the write a little, so that a start that lists four things writes once. */
  readonly defer: (write: () => void) => void;
}

/** One server's responses from last time, in a file, kept up to date with its current ones. */
export class ServerCacheFile implements ServerCache {
  readonly #options: ServerCacheFileOptions;
  #current: CachedServer = {};
  /** The contents of the file, to write only changes. */
  #saved = '';
  #due = false;
  #writing: Promise<unknown> = Promise.resolve();
  #reading: Promise<CachedServer> | undefined;

  constructor(options: ServerCacheFileOptions) {
    this.#options = options;
  }

  /** Reads the file, once; errors are ignored. */
  read(): Promise<CachedServer> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<CachedServer> {
    const { folder, key } = this.#options;
    const file = folder === undefined ? undefined : await readCachedServer(folder, key);
    if (file === undefined) return {};
    const { savedAt, ...known } = file;
    this.#saved = contentOf(known);
    // The server's responses meanwhile are newer.
    this.#current = merged(known, this.#current);
    return known;
  }

  update(change: CachedServer): void {
    this.#current = merged(this.#current, change);
    if (this.#due) return;
    this.#due = true;
    this.#options.defer(() => void this.flush());
  }

  /** Writes pending changes. Never rejects. */
  flush(): Promise<unknown> {
    if (!this.#due) return this.#writing;
    this.#due = false;
    const content = contentOf(this.#current);
    if (content === this.#saved || content === '') return this.#writing;
    this.#saved = content;
    const { folder, key, now } = this.#options;
    const file = { ...this.#current, savedAt: now() };
    this.#writing = this.#writing
      .then(() => folder !== undefined && writeCachedServer(folder, key, file))
      .catch(() => false);
    return this.#writing;
  }
}

function merged(before: CachedServer, after: CachedServer): CachedServer {
  return { ...before, ...after, lists: { ...before.lists, ...after.lists } };
}

/** To compare known values with saved ones; empty if they cannot be saved. */
function contentOf(server: CachedServer): string {
  return serializeCachedServer({ ...server, savedAt: 0 })?.toString('latin1') ?? '';
}
