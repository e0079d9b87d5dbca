export interface WaitOptions {
  readonly timeoutMs?: number;
  /** What is waited for, named in the failure. */
  readonly what?: string;
  /** Entries before this index are not looked at. */
  readonly from?: number;
}

/** Long enough for a loaded machine with two cores, short enough to fail before the test's own limit. */
const DEFAULT_WAIT_MS = 15_000;

/** What happened at a peer, in order: tests count entries and wait for the next one, never for time to pass. */
export class Journal<T> {
  readonly entries: T[] = [];
  readonly #watchers = new Set<() => void>();

  add(entry: T): void {
    this.entries.push(entry);
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Calls `listener` with each entry to come. */
  onEntry(listener: (entry: T) => void): void {
    this.#watchers.add(() => listener(this.entries.at(-1) as T));
  }

  count(matches: (entry: T) => boolean = () => true): number {
    return this.entries.filter(matches).length;
  }

  /** The first entry that matches, past or to come. */
  async waitFor(matches: (entry: T) => boolean, options: WaitOptions = {}): Promise<T> {
    const found = () => this.entries.slice(options.from ?? 0).find(matches);
    await this.until(() => found() !== undefined, options);
    return found() as T;
  }

  /** Looks at `holds` now and after each new entry, and resolves when it is true. */
  until(holds: () => boolean, options: WaitOptions = {}): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
      };
      const watcher = () => {
        if (!holds()) return;
        done();
        resolve();
      };
      const timer = setTimeout(() => {
        done();
        const seen = this.entries.slice(-5).map((entry) => JSON.stringify(entry)?.slice(0, 300));
        const what = options.what ?? matchesSource(holds);
        reject(
          new Error(
            `waited in vain for ${what}; ${this.entries.length} entries, the last: ${seen.join(' ')}`,
          ),
        );
      }, options.timeoutMs ?? DEFAULT_WAIT_MS);
      this.#watchers.add(watcher);
    });
  }
}

function matchesSource(holds: () => boolean): string {
  return String(holds).slice(0, 120);
}
