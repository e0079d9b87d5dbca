import { DrawbridgeError, type ErrorCode, type ErrorDetails } from '../../errors.ts';

/** The user configured an `Authorization` header, and the server refuses it. */
export class StaticAuthorizationRefusedError extends DrawbridgeError {
  readonly code = 'static_authorization_refused';
}

/** test/README.md, fault 23: the MCP server refuses a token that the authorization server has just issued; another one would not help. */
export class FreshTokenRefusedError extends DrawbridgeError {
  readonly code = 'fresh_token_refused';
}

/** What a person needs to sign in. */
export interface SignInOffer {
  /** To be opened in a browser. */
  readonly address?: string | undefined;
  /** To be entered there (RFC 8628). */
  readonly userCode?: string | undefined;
  /** When the sign-in times out. Milliseconds since the epoch. */
  readonly deadline?: number | undefined;
}

/** A sign-in is needed. Exit code 3 of the commands. */
export class SignInNeededError extends DrawbridgeError {
  readonly code = 'sign_in_needed';
  /** To be opened in a browser; undefined if no sign-in may be started here, or none could be. */
  readonly address: string | undefined;
  /** To be entered there (RFC 8628). */
  readonly userCode: string | undefined;
  /** When the sign-in times out. Milliseconds since the epoch. */
  readonly deadline: number | undefined;

  constructor(message: string, details: ErrorDetails & SignInOffer = {}) {
    super(message, details);
    this.address = details.address;
    this.userCode = details.userCode;
    this.deadline = details.deadline;
  }
}

/** A grant without a sign-in was refused: the same request would be refused again. */
export class GrantRefusedError extends DrawbridgeError {
  readonly code = 'grant_refused';
}

/** The token is valid, but not for this, and another sign-in would not help. */
export class ScopeRefusedError extends DrawbridgeError {
  readonly code = 'scope_refused';
}

/** RFC 9449: a token cannot be bound to a key, or its proof is refused; another token would not help. */
export class DpopError extends DrawbridgeError {
  readonly code = 'dpop';
}

/** The token endpoint cannot help now; the current token is kept, and the request repeated later. */
export class RefreshPostponedError extends DrawbridgeError {
  readonly code = 'token_endpoint';
  /** Milliseconds until the next attempt. */
  readonly retryAfterMs: number;

  constructor(message: string, details: { readonly cause?: unknown; readonly retryAfterMs: number }) {
    super(message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The errors with which a sign-in in another process may have ended; every other code in its status just means "failed". */
const SIGN_IN_CODES: readonly ErrorCode[] = [
  'authorization_denied',
  'browser',
  'callback_port',
  'discovery',
  'dpop',
  'insecure_url',
  'issuer_mismatch',
  'network',
  'no_client',
  'pkce_unsupported',
  'refused_address',
  'registration',
  'resource_mismatch',
  'sign_in_expired',
  'timeout',
  'tls',
  'token_endpoint',
];

/** A sign-in in another process ended without a credential, as its status says. */
export class SignInEndedError extends DrawbridgeError {
  readonly code: ErrorCode;

  constructor(statusCode: string | undefined, message: string, details?: ErrorDetails) {
    super(message, details);
    this.code = SIGN_IN_CODES.find((code) => code === statusCode) ?? 'sign_in_failed';
  }
}
