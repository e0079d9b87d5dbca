import { join } from 'node:path';
import { KeychainError } from './files/store-errors.ts';
import type { FileStore } from './port/file-store.ts';
import { LockingStore } from './port/locking-store.ts';
import type { HeldReservation, LockedRecord, LockOptions, ReadResult, WriteResult } from './port/store.ts';
import { readRecord } from './record/read-record.ts';
import {
  type CredentialRecord,
  type Expected,
  isExpected,
  type NewRecord,
  type RecordIdentity,
} from './record/record.ts';
import type { FolderSealing } from './sealing/folder-sealing.ts';

/**
 * The store of one process, over a folder that is at best readable. The disk counts until this process has written its own record; other processes see nothing
 * of it, so there is nothing to reserve, and only its own callers queue.
 */
export class MemoryStore extends LockingStore implements FileStore {
  readonly writable = false;
  readonly folder: string;
  readonly #readable: boolean;
  readonly #sealing: FolderSealing;
  readonly #records = new Map<string, CredentialRecord | 'removed'>();
  readonly #queues = new Map<string, Promise<unknown>>();

  /** `readable`: whether the disk counts (a read-only folder), or not at all (`--store memory`). */
  constructor(folder: string, readable: boolean, sealing: FolderSealing) {
    super();
    this.folder = folder;
    this.#readable = readable;
    this.#sealing = sealing;
  }

  get place(): string {
    return this.folder;
  }

  async read(key: string, identity?: RecordIdentity): Promise<ReadResult> {
    const own = this.#records.get(key);
    if (own === 'removed') return { kind: 'absent' };
    if (own !== undefined) return { kind: 'record', record: own };
    if (!this.#readable) return { kind: 'absent' };
    const path = join(this.folder, `${key}.json`);
    const found = await readRecord(path, this.#sealing, identity).catch((error: unknown) => {
      if (error instanceof KeychainError) throw error;
      return { kind: 'absent' } as const;
    });
    // It cannot be renamed; it stays there and is not read again.
    if (found.kind !== 'corrupt') return found;
    this.#records.set(key, 'removed');
    return { kind: 'corrupt', setAside: path };
  }

  async withLock<T>(
    key: string,
    run: (locked: LockedRecord) => Promise<T>,
    options: LockOptions<T>,
  ): Promise<T> {
    const before = this.#queues.get(key) ?? Promise.resolve();
    const mine = before.then(async () => {
      options.signal.throwIfAborted();
      return run(this.#locked(key));
    });
    this.#queues.set(
      key,
      mine.catch(() => {}),
    );
    return mine;
  }

  #locked(key: string): LockedRecord {
    const write = async (record: NewRecord, expected: Expected | 'any'): Promise<WriteResult> => {
      const found = await this.read(key);
      const stored = found.kind === 'record' ? found.record : undefined;
      if (expected !== 'any' && !isExpected(stored, expected)) return { kind: 'superseded' };
      const next: CredentialRecord = { ...record, version: 1, revision: (stored?.revision ?? 0) + 1 };
      this.#records.set(key, next);
      return { kind: 'written', record: next };
    };
    const reservation: HeldReservation = {
      prepare: async () => true,
      release: async () => {},
      markAmbiguous: async () => {},
      abandon: () => {},
      commit: write,
    };
    return {
      lost: () => false,
      read: (identity) => this.read(key, identity),
      write,
      remove: async () => {
        this.#records.set(key, 'removed');
      },
      setAside: async () => ({ files: 0, records: [] }),
      reservations: async () => [],
      clearReservations: async () => {},
      reserve: async () => reservation,
    };
  }
}
