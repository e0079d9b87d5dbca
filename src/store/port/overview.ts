import type { MoveNote } from '../files/move-note.ts';
import type { KeychainError } from '../files/store-errors.ts';
import type { SignInStatus } from '../lease/lease.ts';
import type { CredentialRecord } from '../record/record.ts';

/** One credential, for a command that only looks. */
export interface CredentialOverview {
  readonly key: string;
  readonly found:
    | { readonly kind: 'absent' | 'corrupt' | 'later-version' }
    /** It is there, and the keychain with its key cannot be used now. */
    | { readonly kind: 'sealed'; readonly error: KeychainError }
    /** A note says that it is in a store that machines share. */
    | { readonly kind: 'moved'; readonly note: MoveNote; readonly isUnfinished: boolean }
    | { readonly kind: 'record'; readonly record: CredentialRecord };
  /** The sign-in that is going on. */
  readonly signIn?: SignInStatus | undefined;
  readonly lock?: LockOverview | undefined;
}

/** The process that works on a credential. */
export interface LockOverview {
  /** Absent: a lock names no process. */
  readonly pid?: number;
  /** Absent: a process of this machine. */
  readonly host?: string;
  readonly heldForMs: number;
}
