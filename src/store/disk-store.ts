import { join } from 'node:path';
import { ensureFolder } from './files/atomic-file.ts';
import { asStoreErrors } from './files/store-errors.ts';
import type { LockTools } from './lock/file-lock.ts';
import { readRecord } from './record/read-record.ts';
import type { Expected, NewRecord, RecordIdentity } from './record/record.ts';
import type { HeldLock, LockOptions, ReadResult, Store, WriteResult } from './store.ts';

/** The store on disk. Only whoever holds the lock writes; readers need none, since a record is replaced whole. */
export class DiskStore implements Store {
  readonly writable = true;
  readonly folder: string;
  readonly #tools: LockTools;

  constructor(folder: string, tools: LockTools) {
    this.folder = folder;
    this.#tools = tools;
  }

  async read(key: string, identity?: RecordIdentity): Promise<ReadResult> {
    const found = await asStoreErrors(this.folder, () => readRecord(this.#path(key), identity));
    if (found.kind !== 'corrupt') return found;
    // It may be whole by now, or set aside by somebody else: only the lock's holder renames.
    return this.withLock(key, (held) => held.read(identity), { signal: new AbortController().signal });
  }

  write(key: string, record: NewRecord, expected: Expected | 'any'): Promise<WriteResult> {
    return this.withLock(key, (held) => held.write(record, expected), {
      signal: new AbortController().signal,
    });
  }

  remove(key: string): Promise<void> {
    return this.withLock(key, (held) => held.remove(), { signal: new AbortController().signal });
  }

  async withLock<T>(key: string, run: (held: HeldLock) => Promise<T>, options: LockOptions<T>): Promise<T> {
    return asStoreErrors(this.folder, async () => {
      // Somebody may have removed the whole folder while we were running.
      await ensureFolder(this.folder);
      // Nothing of lock and claim is loaded by a bridge whose token is fresh.
      const { withDiskLock } = await import('./locked-record.ts');
      const place = { folder: this.folder, key, path: this.#path(key) };
      return withDiskLock(place, run, options, this.#tools);
    });
  }

  #path(key: string): string {
    return join(this.folder, `${key}.json`);
  }
}
