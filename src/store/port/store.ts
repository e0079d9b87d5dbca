import type { StopSignal } from '../../platform/stop.ts';
import type { CredentialRecord, Expected, NewRecord, RecordIdentity } from '../record/record.ts';
import type { SetAside } from '../record/set-aside.ts';
import type { ReservationState } from '../reservation/reservation.ts';

export type ReadResult =
  | { readonly kind: 'absent' }
  /** The file was not a record, or was another server's; it was renamed to `setAside`. */
  | { readonly kind: 'corrupt'; readonly setAside: string }
  | { readonly kind: 'record'; readonly record: CredentialRecord };

export type WriteResult =
  | { readonly kind: 'written'; readonly record: CredentialRecord }
  /** The record has changed since it was read: nothing was written. */
  | { readonly kind: 'superseded' };

export type CommitResult =
  | WriteResult
  /** The engine is away: the record can be used now, and is stored once the engine is back. */
  | { readonly kind: 'kept'; readonly record: CredentialRecord };

/** Credentials: on disk; if the disk is not writable, in a folder of this session or in this process; or on an engine shared by many machines. */
export interface Store {
  read(key: string, identity?: RecordIdentity): Promise<ReadResult>;
  /**
   * Writes if the stored revision and family are still `expected` (`null`: no record; `'any'`: whatever exists, for a sign-in, which beats a refresh in
   * flight). Sets `revision`. Atomic, fsynced. Takes the lock: inside `withLock` use the locked record's `write`.
   */
  write(key: string, record: NewRecord, expected: Expected | 'any'): Promise<WriteResult>;
  /** Takes the lock. The later response to a refresh in flight is not written. */
  remove(key: string): Promise<void>;
  /**
   * Runs `run` under the credential's lock; waits at most 30 s, then rejects with LockTimeoutError. `onTurn` is called while waiting; a value other than
   * undefined ends the wait and becomes the result.
   */
  withLock<T>(key: string, run: (locked: LockedRecord) => Promise<T>, options: LockOptions<T>): Promise<T>;
  /** False: the folder is read-only, and this process works from memory. */
  readonly writable: boolean;
  /** Where the credentials are, for messages: a folder, or an address without its password. */
  readonly place: string;
  /**
   * Resolves when the credential may have changed, or after a while; rejects with the signal's reason. Absent: callers look again after the pause that suits a
   * file.
   */
  changed?(key: string, signal: StopSignal): Promise<void>;
  /** Calls `listener` after another process has changed the credential. Returns a function that ends this. Absent: there are no notifications. */
  onChange?(key: string, listener: () => void): () => void;
  /** Other machines use the same logins. */
  readonly isShared?: boolean;
  /** Absent: that of a file, which is cheap to check. */
  readonly pace?: StorePace;
}

/** The waiting times of a process with this store. */
export interface StorePace {
  /** How long before its expiry an access token is replaced, at most. */
  readonly maxAheadMs: number;
  /** The share of that time over whose beginning processes spread their refreshes, so that they do not all come at once. */
  readonly spread: number;
  /** How long an exiting process waits for a response that is on its way or not stored yet. */
  readonly closeGraceMs: number;
}

export interface LockOptions<T> {
  readonly signal: AbortSignal;
  readonly onTurn?: () => Promise<T | undefined>;
}

/** Operations under the lock. */
export interface LockedRecord {
  /** True once another process may have taken over the lock, or the machine slept: what was read before may be out of date. */
  lost(): boolean;
  read(identity?: RecordIdentity): Promise<ReadResult>;
  write(record: NewRecord, expected: Expected | 'any'): Promise<WriteResult>;
  /** Removes the record and its set-aside files. */
  remove(): Promise<void>;
  setAside(): Promise<SetAside>;
  /** The reservations of the refresh token with this hash (SHA-256), oldest first. */
  reservations(hash: string): Promise<readonly ReservationState[]>;
  /** Reserves the token. Undefined: another process has that number already. Read the record again before sending. */
  reserve(hash: string, number: number): Promise<HeldReservation | undefined>;
  /** For how many milliseconds nobody may reserve a refresh token: the engine may recently have lost reservations. Absent: reservations are never lost. */
  heldBackMs?(): Promise<number>;
  /**
   * Whether what was written under this lock survives a failover, as far as the engine says; it is given some seconds to say so. Absent: what was written
   * stays written.
   */
  settled?(): Promise<boolean>;
  /** Call it once the record no longer needs the reservations: the token is replaced, or marked dead. */
  clearReservations(hash: string): Promise<void>;
}

/** This process's right to send one refresh token once. */
export interface HeldReservation {
  /**
   * Call it right before the token is sent: from then on it may have been used. False: it must not be sent. Rejects if the disk is full, and with
   * StoreAwayError if the engine answers too late for a safe request.
   */
  prepare(): Promise<boolean>;
  /** Writes the response, first next to the record, then as the record; then removes the reservations. */
  commit(record: NewRecord, expected: Expected): Promise<CommitResult>;
  /** The token was not sent after all, or a newer record has come: removes all files of the reservation. */
  release(): Promise<void>;
  /** The token was sent, and no response came. */
  markAmbiguous(): Promise<void>;
  /** The disk failed: this process gives up ownership, and leaves the files for others to judge. */
  abandon(): void;
}
