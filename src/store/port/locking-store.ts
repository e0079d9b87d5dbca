import type { Expected, NewRecord } from '../record/record.ts';
import type { LockedRecord, LockOptions, WriteResult } from './store.ts';

/** What the stores in a folder and in memory have in common: they write and remove under the login's lock. */
export abstract class LockingStore {
  abstract withLock<T>(
    key: string,
    run: (locked: LockedRecord) => Promise<T>,
    options: LockOptions<T>,
  ): Promise<T>;

  write(key: string, record: NewRecord, expected: Expected | 'any'): Promise<WriteResult> {
    return this.withLock(key, (locked) => locked.write(record, expected), {
      signal: new AbortController().signal,
    });
  }

  remove(key: string): Promise<void> {
    return this.withLock(key, (locked) => locked.remove(), { signal: new AbortController().signal });
  }
}
