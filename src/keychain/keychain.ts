/** The name of our items in the keychain. */
export const KEYCHAIN_SERVICE = 'mcp-drawbridge';

/** A keychain stores a short secret for each account, and protects it in its own way. Nothing here rejects. Each program that is run has two seconds. */
export interface Keychain {
  /** For people: `secret-tool`, `docker-credential-pass`. */
  readonly name: string;
  /** The secret as it was written. Avoids a prompt to unlock the keychain if possible. */
  read(account: string): Promise<KeychainAnswer>;
  /** `done` only after the written secret was read back. Replaces an earlier secret. */
  write(account: string, secret: string): Promise<KeychainOutcome>;
  /** `not-found`: there was nothing to erase. */
  erase(account: string): Promise<KeychainOutcome>;
}

/** What a keychain stores for an account. */
export type KeychainAnswer =
  | { readonly kind: 'found'; readonly secret: string }
  /** Only if the keychain said so: a locked or unreachable one may have it. */
  | { readonly kind: 'not-found' }
  | KeychainFailure;

/** The outcome of a change to a keychain. */
export type KeychainOutcome = { readonly kind: 'done' } | { readonly kind: 'not-found' } | KeychainFailure;

/** Why a keychain cannot be used now. */
export interface KeychainFailure {
  readonly kind: /** Its owner has to unlock it. */
    | 'locked'
    /** The program to query it, or the service that should answer, is not installed. */
    | 'absent'
    /** Linux: this user has no D-Bus, which is needed to query it. */
    | 'no-bus'
    /** No answer in time; it may be prompting its owner. */
    | 'timed-out'
    | 'failed';
  /** What happened, without secrets and safe to print on one line. */
  readonly text: string;
  /** What a person can do: a sentence, with a command if there is one. */
  readonly wayOut: string;
}
