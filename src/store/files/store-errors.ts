import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';
import { ownCommand } from '../../platform/program/program-command.ts';
import { quote, quoteAddress, shownAddress } from '../../protocol/quote.ts';

/** The disk failed: full, broken, gone. */
export class StoreError extends DrawbridgeError {
  readonly code = 'store';
}

/** Written by a later version of this program: this version must not judge or replace it. */
export class LaterVersionError extends StoreError {}

/** The data cannot be written: the folder is read-only. */
export class StoreReadOnlyError extends DrawbridgeError {
  readonly code = 'store_read_only';
}

/** The login is in a shared store, or on its way there; a note in this folder names the store. */
export class StoreMovedError extends DrawbridgeError {
  readonly code = 'store_moved';
  /** The move was interrupted: this folder still has the login, but nobody uses it. */
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

/** A credential exists already, and `--force` was not given. */
export class CredentialPresentError extends DrawbridgeError {
  readonly code = 'store';
}

/** Another program was expected to have a login, and has none. */
export class NoLoginFoundError extends DrawbridgeError {
  readonly code = 'store';
}

/** What is known about a requested change when no reply came. */
export type Applied = 'no' | 'maybe';

/** The engine of a shared store does not answer. The message names its host and port, and no password. It may come back at any time. */
export class StoreAwayError extends DrawbridgeError {
  readonly code = 'store_away';
  /** `no`: certainly nothing was changed. Reads change nothing. */
  readonly applied: Applied;
  /** When to try again, in milliseconds. */
  readonly retryAfterMs = 2_000;

  constructor(message: string, { applied, ...details }: ErrorDetails & { readonly applied: Applied }) {
    super(message, details);
    this.applied = applied;
  }
}

/** A folder or file of the store that another user could have planted, or could read. */
export class StoreInsecureError extends DrawbridgeError {
  readonly code = 'store_insecure';
}

/** The key for sealed data is not available. */
export class UnknownKeyError extends DrawbridgeError {
  readonly code = 'unknown_key';
}

/** Sealed data was changed, truncated, or sealed under another name. */
export class NotAuthenticError extends DrawbridgeError {
  readonly code = 'not_authentic';
}

/** Why a keychain gives us no key at the moment. */
export type KeychainErrorCode =
  /** It exists, and its owner has to unlock it. */
  | 'keychain_locked'
  /** There is no program to query it, or no service that answers. */
  | 'keychain_absent'
  /** Linux: this process cannot reach the session that has the keychain. */
  | 'keychain_no_bus'
  /** It answers, but has no such key. */
  | 'keychain_key_missing'
  /** It did not answer in time, or gave an invalid answer. */
  | 'keychain';

/** The key of the logins is unavailable: they can be neither read nor written, and there is no fallback. */
export class KeychainError extends DrawbridgeError {
  readonly code: KeychainErrorCode;

  constructor(code: KeychainErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}

/** Another process has held the credential's lock for too long. */
export class LockTimeoutError extends DrawbridgeError {
  readonly code = 'lock_timeout';
}

/** The system's code of a failed call, such as ENOENT. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Runs file operations; an error of the system becomes a StoreError, and any other stays as it is. */
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
