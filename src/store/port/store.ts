import type { StopSignal } from '../../platform/stop.ts';
import type { CredentialRecord, Expected, NewRecord, RecordIdentity } from '../record/record.ts';
import type { SetAside } from '../record/set-aside.ts';
import type { ReservationState } from '../reservation/reservation.ts';

export type ReadResult =
  | { readonly kind: 'absent' }
  /** What was there is no record, or another server's; it has been renamed to `setAside`. */
  | { readonly kind: 'corrupt'; readonly setAside: string }
  | { readonly kind: 'record'; readonly record: CredentialRecord };

export type WriteResult =
  | { readonly kind: 'written'; readonly record: CredentialRecord }
  /** The record is no longer the one that was read: nothing was written. */
  | { readonly kind: 'superseded' };

export type CommitResult =
  | WriteResult
  /** The engine is away: the record can be used now, and is stored as soon as the engine is back. */
  | { readonly kind: 'kept'; readonly record: CredentialRecord };

/** Credentials: on disk or, where the disk is not writable, in a folder of this session or in this process; or on an engine that many machines share. */
export interface Store {
  read(key: string, identity?: RecordIdentity): Promise<ReadResult>;
  /**
   * Writes when the stored revision and family are still `expected` (`null`: no record; `'any'`: whatever is there, for a sign-in,
   * which beats a refresh in flight). Sets `revision`. Atomic, fsynced. Takes the lock: inside `withLock` use the locked record's `write`.
   */
  write(key: string, record: NewRecord, expected: Expected | 'any'): Promise<WriteResult>;
  /** Takes the lock. What a refresh in flight brings afterwards is not written. */
  remove(key: string): Promise<void>;
  /**
   * Runs under the credential's lock; waits 30 s at most, then rejects with LockTimeoutError. `onTurn` is called while waiting;
   * a value other than undefined ends the wait and is the result.
   */
  withLock<T>(key: string, run: (locked: LockedRecord) => Promise<T>, options: LockOptions<T>): Promise<T>;
  /** False: the folder is read-only, everything works from the memory of this process. */
  readonly writable: boolean;
  /** Where the credentials are, for messages: a folder, or an address without its password. */
  readonly place: string;
  /**
   * Resolves when the credential may have changed, or after a while; rejects with the signal's reason. Absent: whoever waits looks again after the
   * pause that suits a file.
   */
  changed?(key: string, signal: StopSignal): Promise<void>;
  /** Calls `listener` after another process has changed the credential. Returns the way to end that. Absent: nobody is told. */
  onChange?(key: string, listener: () => void): () => void;
  /** Other machines use the same logins. */
  readonly isShared?: boolean;
  /** Absent: that of a file, which costs nothing to look at. */
  readonly pace?: StorePace;
}

/** What a process has to give its waits on this store. */
export interface StorePace {
  /** How long before its end an access token is replaced, at most. */
  readonly maxAheadMs: number;
  /** The share of that time over whose beginning the processes spread, so that not all of them knock at once. */
  readonly spread: number;
  /** How long a process that ends waits for an answer that is on its way, or is not stored yet. */
  readonly closeGraceMs: number;
}

export interface LockOptions<T> {
  readonly signal: AbortSignal;
  readonly onTurn?: () => Promise<T | undefined>;
}

/** What may be done under the lock. */
export interface LockedRecord {
  /** True once another process may have taken the lock over, or the machine slept: what was read before may be out of date. */
  lost(): boolean;
  read(identity?: RecordIdentity): Promise<ReadResult>;
  write(record: NewRecord, expected: Expected | 'any'): Promise<WriteResult>;
  /** Removes the record, and what was set aside of it. */
  remove(): Promise<void>;
  setAside(): Promise<SetAside>;
  /** The reservations of the refresh token with this hash (SHA-256), oldest first. */
  reservations(hash: string): Promise<readonly ReservationState[]>;
  /** The right to send it. Undefined: another process has that number already. Read the record again before sending. */
  reserve(hash: string, number: number): Promise<HeldReservation | undefined>;
  /**
   * For how many milliseconds nobody may reserve a refresh token: the engine may have lost reservations a short time ago. Absent: nothing loses any.
   */
  heldBackMs?(): Promise<number>;
  /** To be called once the record no longer needs them: the token is replaced, or marked dead. */
  clearReservations(hash: string): Promise<void>;
}

/** The right of this process to send one refresh token once. */
export interface HeldReservation {
  /**
   * To be called right before the token is sent: from then on it may have been used. False: it must not be sent. Rejects where the disk is full, and
   * with StoreAwayError where the engine answers too late for it to be sent safely.
   */
  prepare(): Promise<boolean>;
  /** Writes what came back, first beside the record, then as the record; then removes the reservations. */
  commit(record: NewRecord, expected: Expected): Promise<CommitResult>;
  /** The token was not sent after all, or a newer record has come: removes all files of the reservation. */
  release(): Promise<void>;
  /** The token was sent, and no response came. */
  markAmbiguous(): Promise<void>;
  /** The disk failed: this process no longer counts itself as the owner, and leaves the files to be judged as they are. */
  abandon(): void;
}
