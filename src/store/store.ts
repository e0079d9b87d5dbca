import type { CredentialRecord, Expected, NewRecord, RecordIdentity } from './record/record.ts';
import type { SetAside } from './record/set-aside.ts';
import type { ReservationState } from './reservation/reservation.ts';

export type ReadResult =
  | { readonly kind: 'absent' }
  /** What was there is no record, or another server's; it has been renamed to `setAside`. */
  | { readonly kind: 'corrupt'; readonly setAside: string }
  | { readonly kind: 'record'; readonly record: CredentialRecord };

export type WriteResult =
  | { readonly kind: 'written'; readonly record: CredentialRecord }
  /** The record is no longer the one that was read: nothing was written. */
  | { readonly kind: 'superseded' };

/** Credentials on disk (or, where the disk is not writable, in this process). */
export interface Store {
  read(key: string, identity?: RecordIdentity): Promise<ReadResult>;
  /**
   * Writes when the stored revision and family are still `expected` (`null`: no record; `'any'`: whatever is there, for a sign-in,
   * which beats a refresh in flight). Sets `revision`. Atomic, fsynced. Takes the lock: inside `withLock` use the held one's `write`.
   */
  write(key: string, record: NewRecord, expected: Expected | 'any'): Promise<WriteResult>;
  /** Takes the lock. What a refresh in flight brings afterwards is not written. */
  remove(key: string): Promise<void>;
  /**
   * Runs under the credential's lock; waits 30 s at most, then rejects with LockTimeoutError. `onTurn` is called while waiting;
   * a value other than undefined ends the wait and is the result.
   */
  withLock<T>(key: string, run: (held: HeldLock) => Promise<T>, options: LockOptions<T>): Promise<T>;
  /** False: the folder is read-only, everything works from the memory of this process. */
  readonly writable: boolean;
  /** Where the credential files are. */
  readonly folder: string;
}

export interface LockOptions<T> {
  readonly signal: AbortSignal;
  readonly onTurn?: () => Promise<T | undefined>;
}

/** What may be done under the lock. */
export interface HeldLock {
  /** True once another process may have taken the lock over, or the machine slept: read again before acting on what was read. */
  lost(): boolean;
  read(identity?: RecordIdentity): Promise<ReadResult>;
  write(record: NewRecord, expected: Expected | 'any'): Promise<WriteResult>;
  /** The record, and what was set aside of it. */
  remove(): Promise<void>;
  setAside(): Promise<SetAside>;
  /** The claims on the refresh token with this hash, oldest first. */
  reservations(hash: string): Promise<readonly ReservationState[]>;
  /** The right to spend it; undefined: somebody has that number already. Read the record again before spending. */
  reserve(hash: string, number: number): Promise<HeldReservation | undefined>;
  /** Once the record no longer needs them: the token is replaced, or marked dead. */
  clearReservations(hash: string): Promise<void>;
}

export interface HeldReservation {
  /** Right before the token is sent: from now on it may have been spent. Fails where the disk is full. False: it must not be sent. */
  prepare(): Promise<boolean>;
  /** Writes what came back, first beside the record, then as the record; then drops the claims. */
  commit(record: NewRecord, expected: Expected): Promise<WriteResult>;
  /** Not spent after all, or superseded: no trace remains. */
  release(): Promise<void>;
  /** Sent, and no answer came. */
  markLost(): Promise<void>;
  /** The disk failed: this process no longer counts itself as the owner, and leaves the files to be judged as they are. */
  abandon(): void;
}
