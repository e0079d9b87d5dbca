import { join } from 'node:path';
import { ensureFolder } from './files/atomic-file.ts';
import { asStoreErrors } from './files/store-errors.ts';
import type { LockDeps } from './lock/file-lock.ts';
import type { FileStore } from './port/file-store.ts';
import { LockingStore } from './port/locking-store.ts';
import type { LockedRecord, LockOptions, ReadResult } from './port/store.ts';
import { readRecord } from './record/read-record.ts';
import type { RecordIdentity } from './record/record.ts';
import type { FolderSealing } from './sealing/folder-sealing.ts';

/** The store on disk. Only the holder of the lock writes. Readers need no lock, since a record is replaced as a whole. */
export class DiskStore extends LockingStore implements FileStore {
  readonly writable = true;
  readonly folder: string;
  readonly #deps: LockDeps;
  readonly #sealing: FolderSealing;
  readonly #prepare: () => Promise<void>;

  /** `prepare` runs before the folder is used; if it rejects, so does the operation. */
  constructor(folder: string, deps: LockDeps, sealing: FolderSealing, prepare = async () => {}) {
    super();
    this.folder = folder;
    this.#deps = deps;
    this.#sealing = sealing;
    this.#prepare = prepare;
  }

  get place(): string {
    return this.folder;
  }

  async read(key: string, identity?: RecordIdentity): Promise<ReadResult> {
    await this.#prepare();
    const found = await asStoreErrors(this.folder, async () => {
      const read = await readRecord(this.#path(key), this.#sealing, identity);
      // A sign-in is about to start: it must not if the login could not be stored.
      if (read.kind === 'absent') await this.#sealing.form();
      return read;
    });
    if (found.kind !== 'corrupt') return found;
    // It may be readable by now, or another process has set it aside: only the lock's holder renames.
    return this.withLock(key, (locked) => locked.read(identity), { signal: new AbortController().signal });
  }

  async withLock<T>(
    key: string,
    run: (locked: LockedRecord) => Promise<T>,
    options: LockOptions<T>,
  ): Promise<T> {
    await this.#prepare();
    return asStoreErrors(this.folder, async () => {
      // The whole folder may have been removed while we were running.
      await ensureFolder(this.folder);
      // A bridge with a fresh token does not load the code for locks and reservations.
      const { withDiskLock } = await import('./locked-record.ts');
      const place = { folder: this.folder, key, path: this.#path(key), sealing: this.#sealing };
      return withDiskLock(place, run, options, this.#deps);
    });
  }

  #path(key: string): string {
    return join(this.folder, `${key}.json`);
  }
}
