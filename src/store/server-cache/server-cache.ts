import { isObject, type JsonObject } from '../../protocol/json-object.ts';
import { type CachedServer, readCachedServer, writeCachedServer } from './file.ts';

/** What changed in what a server says of itself. */
export interface CachedServerChange {
  readonly initialize?: unknown;
  readonly transport?: string;
  readonly era?: 'legacy' | 'modern';
  readonly lists?: { readonly [method: string]: unknown };
}

export interface ServerCacheFileOptions {
  /** Undefined: nothing is kept beyond this process. */
  readonly folder: string | undefined;
  readonly key: string;
  readonly now: () => number;
  /** Runs the write a little later, so that a start that lists four things writes once. */
  readonly defer: (write: () => void) => void;
}

/** One server's answers from last time, kept in step with what it says now. */
export class ServerCacheFile {
  readonly #options: ServerCacheFileOptions;
  #initialize: unknown;
  #transport: string | undefined;
  #era: 'legacy' | 'modern' | undefined;
  readonly #lists = new Map<string, unknown>();
  #saved = '';
  #due = false;
  #writing: Promise<unknown> = Promise.resolve();
  #reading: Promise<CachedServerChange> | undefined;

  constructor(options: ServerCacheFileOptions) {
    this.#options = options;
  }

  /** Reads the file, once; nothing that is wrong with it matters. */
  read(): Promise<CachedServerChange> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<CachedServerChange> {
    const { folder, key } = this.#options;
    const known = folder === undefined ? undefined : await readCachedServer(folder, key);
    if (known === undefined) return {};
    if (known.initialize !== undefined) this.#initialize ??= known.initialize;
    this.#transport ??= known.transport;
    this.#era ??= known.era;
    for (const [method, result] of known.lists) if (!this.#lists.has(method)) this.#lists.set(method, result);
    this.#saved = this.#content();
    return {
      ...(known.initialize === undefined ? {} : { initialize: known.initialize }),
      ...(known.transport === undefined ? {} : { transport: known.transport }),
      ...(known.era === undefined ? {} : { era: known.era }),
      lists: Object.fromEntries(known.lists),
    };
  }

  update({ initialize, transport, era, lists }: CachedServerChange): void {
    if (initialize !== undefined) this.#initialize = initialize;
    if (transport !== undefined) this.#transport = transport;
    if (era !== undefined) this.#era = era;
    for (const [method, result] of Object.entries(lists ?? {})) this.#lists.set(method, result);
    if (this.#due) return;
    this.#due = true;
    this.#options.defer(() => void this.flush());
  }

  /** Writes what is not written yet. Never rejects: what cannot be kept is not worth a call. */
  flush(): Promise<unknown> {
    if (!this.#due) return this.#writing;
    this.#due = false;
    const content = this.#content();
    if (content === this.#saved || content === '') return this.#writing;
    this.#saved = content;
    const { folder, key, now } = this.#options;
    const remembered: CachedServer = {
      savedAt: now(),
      ...(isObject(this.#initialize) ? { initialize: this.#initialize } : {}),
      ...(this.#transport === undefined ? {} : { transport: this.#transport }),
      ...(this.#era === undefined ? {} : { era: this.#era }),
      lists: new Map([...this.#lists].filter((entry): entry is [string, JsonObject] => isObject(entry[1]))),
    };
    this.#writing = this.#writing
      .then(() => folder !== undefined && writeCachedServer(folder, key, remembered))
      .catch(() => false);
    return this.#writing;
  }

  /** Empty where it cannot be written as text: nested deeper than the stack. */
  #content(): string {
    try {
      return JSON.stringify([this.#initialize, this.#transport, this.#era, [...this.#lists]]);
    } catch (error) {
      if (error instanceof RangeError) return '';
      throw error;
    }
  }
}
