/** Under this name the keychain keeps what is ours. */
export const KEYCHAIN_SERVICE = 'mcp-drawbridge';

/**
 * A keychain: it keeps a short secret for each account, and asks its owner for it in a way of its own. Nothing here rejects. Each program that is asked has two
 * seconds.
 */
export interface Keychain {
  /** For people: `secret-tool`, `docker-credential-pass`. */
  readonly name: string;
  /** The secret as it was written. Nobody is asked to unlock anything where that can be avoided. */
  read(account: string): Promise<KeychainAnswer>;
  /** `done` only when what was written has been read back. Replaces what was there. */
  write(account: string, secret: string): Promise<KeychainOutcome>;
  /** `not-found`: there was nothing to erase. */
  erase(account: string): Promise<KeychainOutcome>;
}

/** What a keychain has for an account. */
export type KeychainAnswer =
  | { readonly kind: 'found'; readonly secret: string }
  /** Only where the keychain said so: one that is locked or cannot be reached may have it. */
  | { readonly kind: 'not-found' }
  | KeychainFailure;

/** How a change of a keychain ended. */
export type KeychainOutcome = { readonly kind: 'done' } | { readonly kind: 'not-found' } | KeychainFailure;

/** Why a keychain cannot be used now. */
export interface KeychainFailure {
  readonly kind: /** Its owner has to unlock it. */
    | 'locked'
    /** The program that asks it, or what should answer, is not installed. */
    | 'absent'
    /** Linux: there is no D-Bus of this user, over which it is asked. */
    | 'no-bus'
    /** No answer within the time; it may be asking its owner. */
    | 'timed-out'
    | 'failed';
  /** What happened, without secrets and safe to print on one line. */
  readonly text: string;
  /** What a person can do: a sentence, with the command where there is one. */
  readonly wayOut: string;
}
