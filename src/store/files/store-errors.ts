import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';
import { ownCommand } from '../../platform/program/program-command.ts';
import { quote, quoteAddress, shownAddress } from '../../protocol/quote.ts';

/** The disk does not do what is asked: full, broken, gone. */
export class StoreError extends DrawbridgeError {
  readonly code = 'store';
}

/** A later version of this program has written it: not ours to judge, and not ours to replace. */
export class LaterVersionError extends StoreError {}

/** What is to be kept cannot be: the folder is read-only. */
export class StoreReadOnlyError extends DrawbridgeError {
  readonly code = 'store_read_only';
}

/** The login is in a store that machines share, or on its way there; a note in this folder says which. */
export class StoreMovedError extends DrawbridgeError {
  readonly code = 'store_moved';
  /** The move was interrupted: this folder still has the login, and nobody uses it. */
  readonly isUnfinished: boolean;

  constructor({ to, server }: { readonly to: string; readonly server: string }, isUnfinished: boolean) {
    const back = `\`${ownCommand('move', shownAddress(server), '--to', 'file', '--store', to)}\``;
    super(
      isUnfinished
        ? `the move of the login for ${quoteAddress(server)} to the store ${quote(to)} was interrupted`
        : `the login for ${quoteAddress(server)} was moved to the store ${quote(to)}`,
      {
        hint: isUnfinished
          ? `Run the same \`move\` again to finish it, or ${back} to undo it.`
          : `Start with --store ${to} and its key, or bring the login back with ${back}.`,
      },
    );
    this.isUnfinished = isUnfinished;
  }
}

/** A credential is there already, and `--force` was not given. */
export class CredentialPresentError extends DrawbridgeError {
  readonly code = 'store';
}

/** Another program was said to have a login, and has none. */
export class NoLoginFoundError extends DrawbridgeError {
  readonly code = 'store';
}

/** What is known of a change that was asked for, when no answer came. */
export type Applied = 'no' | 'maybe';

/** The engine of a shared store does not answer. The message names its host and port, and no password. It may be back at any time. */
export class StoreAwayError extends DrawbridgeError {
  readonly code = 'store_away';
  /** `no`: nothing was changed, for certain. A question changes nothing. */
  readonly applied: Applied;
  /** When to ask again, in milliseconds. */
  readonly retryAfterMs = 2_000;

  constructor(message: string, { applied, ...details }: ErrorDetails & { readonly applied: Applied }) {
    super(message, details);
    this.applied = applied;
  }
}

/** A folder or file of the store that another user could have planted or could read. */
export class StoreInsecureError extends DrawbridgeError {
  readonly code = 'store_insecure';
}

/** What is sealed needs a key that is not at hand. */
export class UnknownKeyError extends DrawbridgeError {
  readonly code = 'unknown_key';
}

/** What is sealed was changed, cut off, or sealed under another name. */
export class NotAuthenticError extends DrawbridgeError {
  readonly code = 'not_authentic';
}

/** Why a keychain has no key for us now. */
export type KeychainErrorCode =
  /** It is there and has to be unlocked by its owner. */
  | 'keychain_locked'
  /** There is no program that asks it, or nothing that answers. */
  | 'keychain_absent'
  /** Linux: this process has no way to the session in which the keychain is. */
  | 'keychain_no_bus'
  /** It answers, and has no such key. */
  | 'keychain_key_missing'
  /** It did not answer in time, or in a way that makes no sense. */
  | 'keychain';

/** The key of the logins cannot be had: they can neither be read nor written, and nothing else is done instead. */
export class KeychainError extends DrawbridgeError {
  readonly code: KeychainErrorCode;

  constructor(code: KeychainErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}

/** Another process has held the credential for too long. */
export class LockTimeoutError extends DrawbridgeError {
  readonly code = 'lock_timeout';
}

/** The system's code of a failed call, such as ENOENT. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Runs what works on files; what the system refuses becomes a failure that the program expects, and anything else stays what it is. */
export async function asStoreErrors<T>(where: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || !(error as NodeJS.ErrnoException).syscall) throw error;
    throw new StoreError(`the credentials in ${where} cannot be read or written (${code})`, {
      cause: error,
      hint: NO_ROOM.has(code) ? 'Make room on that disk.' : undefined,
    });
  }
}
