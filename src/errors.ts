import { redactor } from './redaction/secrets.ts';

/**
 * Every failure that the program expects has a class here or in its own room, and a code from this list.
 * Nobody reads a message to decide; messages are for people, read outside-in, and quote nothing unescaped.
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
  | 'internal';

export interface ErrorDetails {
  readonly cause?: unknown;
  /** What the person can do about it, one sentence. */
  readonly hint?: string;
}

/** The base of every expected failure. `code` is stable; `hint` says what to do. */
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

/** The operation was given up by its caller (host gone, cancelled, shutting down). */
export class AbortedError extends DrawbridgeError {
  readonly code = 'aborted';
}

/** An invariant of the program's own does not hold. */
export class InternalError extends DrawbridgeError {
  readonly code = 'internal';
}

/** The failure and its causes on one line, outside-in, without repeating what a wrapper already quotes, and without secrets. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && at !== null && depth < 8; depth++) {
    const text = at instanceof Error ? at.message || at.name : String(at);
    if (text !== '' && !parts.some((part) => part.includes(text))) parts.push(text);
    at = at instanceof Error ? at.cause : undefined;
  }
  return redactor.redactRegistered(parts.join(': '));
}
