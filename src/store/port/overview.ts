import type { MoveNote } from '../files/move-note.ts';
import type { KeychainError, UnknownKeyError } from '../files/store-errors.ts';
import type { SignInStatus } from '../lease/lease.ts';
import type { CredentialRecord } from '../record/record.ts';

/** One credential, for a read-only command. */
export interface CredentialOverview {
  readonly key: string;
  readonly found:
    | { readonly kind: 'absent' | 'corrupt' | 'later-version' }
    /** It exists, but the keychain with its key is unavailable; in a shared store: its key is not available. */
    | { readonly kind: 'sealed'; readonly error: KeychainError | UnknownKeyError }
    /** A note says that it is in a shared store. */
    | { readonly kind: 'moved'; readonly note: MoveNote; readonly isUnfinished: boolean }
    | { readonly kind: 'record'; readonly record: CredentialRecord };
  /** The sign-in under way. */
  readonly signIn?: SignInStatus | undefined;
  readonly lock?: LockOverview | undefined;
  /** In a shared store: the id of the key under which it is sealed, and whether that is the first one, under which it will be sealed next. */
  readonly sealing?: { readonly keyId: string; readonly isFirst: boolean } | undefined;
  /** For how long the epoch of the engine is known in which it is; undefined: nobody has noticed since when. */
  readonly epochAgeMs?: number | undefined;
}

/** The process that works on a credential. */
export interface LockOverview {
  /** Absent: a lock names no process. */
  readonly pid?: number;
  /** Absent: a process of this machine. */
  readonly host?: string;
  readonly heldForMs: number;
}
