import { redactor } from './redaction/secrets.ts';

/**
 * Every failure that the program expects has a class, here or in the folder that throws it, and a code from this list.
 * Code decides by the code and never by the message. Messages are for people; they read from the outermost error to its cause and escape
 * whatever they quote.
 */
export type ErrorCode =
  | 'usage'
  | 'config'
  | 'network'
  | 'tls'
  | 'timeout'
  | 'aborted'
  | 'http_status'
  | 'bad_answer'
  | 'too_large'
  | 'insecure_url'
  | 'refused_address'
  | 'discovery'
  | 'issuer_mismatch'
  | 'resource_mismatch'
  | 'pkce_unsupported'
  | 'registration'
  | 'no_client'
  | 'token_endpoint'
  | 'authorization_denied'
  | 'sign_in_needed'
  | 'sign_in_failed'
  | 'sign_in_expired'
  | 'static_authorization_refused'
  | 'fresh_token_refused'
  | 'scope_refused'
  | 'grant_refused'
  | 'dpop'
  | 'store'
  | 'store_insecure'
  | 'store_read_only'
  | 'lock_timeout'
  | 'callback_port'
  | 'browser'
  | 'host_file'
  | 'internal';

/** The optional parts of a `DrawbridgeError`. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** What the user can do about it, in one sentence. */
  readonly hint?: string;
}

/** The base class of every expected failure. `code` is stable; `hint` says what to do. */
export abstract class DrawbridgeError extends Error {
  abstract readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
  }
}

/** A flag or value on the command line that cannot be used. Exit code 2. */
export class UsageError extends DrawbridgeError {
  readonly code = 'usage';
}

/** A setting from the environment or a file that cannot be used. Exit code 2. */
export class ConfigError extends DrawbridgeError {
  readonly code = 'config';
}

/** The caller gave up the operation (the host is gone, the request was cancelled, the program is shutting down). */
export class AbortedError extends DrawbridgeError {
  readonly code = 'aborted';
}

/** An internal invariant does not hold: a bug in this program. */
export class InternalError extends DrawbridgeError {
  readonly code = 'internal';
}

/** The failure and its causes on one line, outermost first, without secrets. A cause that its wrapper already quotes is not repeated. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && at !== null && depth < 8; depth++) {
    const text = at instanceof Error ? at.message || at.name : String(at);
    if (text !== '' && !parts.some((part) => part.includes(text))) parts.push(text);
    at = at instanceof Error ? at.cause : undefined;
  }
  return redactor.redactRegistered(parts.join(': '));
}
