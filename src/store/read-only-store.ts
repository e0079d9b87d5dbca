import { join } from 'node:path';
import type { DiskStore } from './disk-store.ts';
import { replaceFile } from './files/atomic-file.ts';
import { KeychainError } from './files/store-errors.ts';
import type { FileStore } from './port/file-store.ts';
import { LockingStore } from './port/locking-store.ts';
import type { CommitResult, HeldReservation, LockedRecord, LockOptions, ReadResult } from './port/store.ts';
import { belongsTo, readRecord } from './record/read-record.ts';
import type { CredentialRecord, RecordIdentity } from './record/record.ts';
import { serializeRecord } from './record/record-schema.ts';
import type { FolderSealing } from './sealing/folder-sealing.ts';

/**
 * A store over a folder that can be read but not written. Changes go to another folder, which the processes of this user share: a refresh token may be used
 * only once, so processes that all read it from one file have to see when another has used it.
 */
export class ReadOnlyStore extends LockingStore implements FileStore {
  readonly writable = false;
  readonly folder: string;
  readonly #shared: DiskStore;
  /** The newest record that this process has seen: the other folder may be emptied while it runs. */
  readonly #seen = new Map<string, CredentialRecord>();
  /** Signed out in this process; the file cannot be removed. */
  readonly #removed = new Set<string>();
  /** Files without a valid record that cannot be renamed: reported once. */
  readonly #corrupt = new Set<string>();

  readonly #sealing: FolderSealing;

  /** `sealing`: of the folder; files written elsewhere follow it too. */
  constructor(folder: string, shared: DiskStore, sealing: FolderSealing) {
    super();
    this.folder = folder;
    this.#shared = shared;
    this.#sealing = sealing;
  }

  get place(): string {
    return this.folder;
  }

  async read(key: string, identity?: RecordIdentity): Promise<ReadResult> {
    if (this.#removed.has(key)) return { kind: 'absent' };
    const shared = await this.#shared.read(key, identity);
    const path = join(this.folder, `${key}.json`);
    const own = await readRecord(path, this.#sealing, identity).catch(undefinedUnlessKeychain);
    const seen = this.#seen.get(key);
    const isSeen = seen !== undefined && belongsTo(seen, identity);
    const newest = newestOf([recordOf(shared), recordOf(own), isSeen ? seen : undefined]);
    if (newest !== undefined) {
      this.#seen.set(key, newest);
      return { kind: 'record', record: newest };
    }
    if (own?.kind !== 'corrupt' || this.#corrupt.has(key)) return shared;
    this.#corrupt.add(key);
    return { kind: 'corrupt', setAside: path };
  }

  withLock<T>(key: string, run: (locked: LockedRecord) => Promise<T>, options: LockOptions<T>): Promise<T> {
    const locked = async (locked: LockedRecord) => {
      if (!this.#removed.has(key)) await this.#bring(key);
      return run(this.#noting(key, locked));
    };
    return this.#shared.withLock(key, locked, options);
  }

  /** Copies the newest record to the shared folder unchanged: from then on only that one counts. */
  async #bring(key: string): Promise<void> {
    const path = join(this.#shared.folder, `${key}.json`);
    const shared = recordOf(await readRecord(path, this.#sealing));
    const own = await readRecord(join(this.folder, `${key}.json`), this.#sealing).catch(
      undefinedUnlessKeychain,
    );
    const newest = newestOf([shared, recordOf(own), this.#seen.get(key)]);
    if (newest === undefined || newest === shared) return;
    const form = await this.#sealing.form();
    await replaceFile(path, form.file(key, serializeRecord(newest)));
  }

  #noting(key: string, locked: LockedRecord): LockedRecord {
    const noted = <R extends CommitResult>(result: R): R => {
      if (result.kind !== 'written') return result;
      this.#removed.delete(key);
      this.#seen.set(key, result.record);
      return result;
    };
    return {
      ...locked,
      read: async (identity) => (this.#removed.has(key) ? { kind: 'absent' } : locked.read(identity)),
      write: async (record, expected) => noted(await locked.write(record, expected)),
      remove: async () => {
        await locked.remove();
        this.#seen.delete(key);
        this.#removed.add(key);
      },
      reserve: async (hash, number): Promise<HeldReservation | undefined> => {
        const reservation = await locked.reserve(hash, number);
        if (reservation === undefined) return undefined;
        return { ...reservation, commit: async (...written) => noted(await reservation.commit(...written)) };
      },
    };
  }
}

/** An unreadable file counts as absent, unless opening the keychain makes it readable. */
function undefinedUnlessKeychain(error: unknown): undefined {
  if (error instanceof KeychainError) throw error;
}

function recordOf(found: ReadResult | Awaited<ReturnType<typeof readRecord>> | undefined) {
  return found?.kind === 'record' ? found.record : undefined;
}

/** Of one login the later write; of two logins the later login. The first of two equal ones. */
export function newestOf(records: readonly (CredentialRecord | undefined)[]): CredentialRecord | undefined {
  let newest: CredentialRecord | undefined;
  for (const record of records) {
    if (record !== undefined && (newest === undefined || isNewer(record, newest))) newest = record;
  }
  return newest;
}

function isNewer(one: CredentialRecord, other: CredentialRecord): boolean {
  if (one.family === other.family) return one.revision > other.revision;
  return (one.tokens?.obtainedAt ?? 0) > (other.tokens?.obtainedAt ?? 0);
}
