import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';

/** What a wrapper keeps of the failure below it: itself, and what the person can do about it. */
export function causedBy(cause: unknown): ErrorDetails {
  const hint = cause instanceof DrawbridgeError ? cause.hint : undefined;
  return hint === undefined ? { cause } : { cause, hint };
}

/** A discovered address that may not be used: not https, with user info, not an address at all. */
export class InsecureUrlError extends DrawbridgeError {
  readonly code = 'insecure_url';
}

/** A public server leads to a private, link-local or loopback address. */
export class RefusedAddressError extends DrawbridgeError {
  readonly code = 'refused_address';
}

/** The way from the server to its authorization server could not be found or is not as it has to be. */
export class DiscoveryError extends DrawbridgeError {
  readonly code = 'discovery';
}

/** RFC 8414 §3.3: metadata that names another issuer than the one it was asked for. */
export class IssuerMismatchError extends DrawbridgeError {
  readonly code = 'issuer_mismatch';
}

/** RFC 9728 §3.3: protected resource metadata that was written for another resource. */
export class ResourceMismatchError extends DrawbridgeError {
  readonly code = 'resource_mismatch';
}

/** The authorization server does not promise PKCE with S256. */
export class PkceUnsupportedError extends DrawbridgeError {
  readonly code = 'pkce_unsupported';
}

/** An answer that is larger than its limit, before or after inflating. */
export class TooLargeError extends DrawbridgeError {
  readonly code = 'too_large';
}

/** An answer that is not what was asked for: wrong encoding, not JSON, a field missing. */
export class BadAnswerError extends DrawbridgeError {
  readonly code = 'bad_answer';
}

/** An answer that did not come whole within its limit. */
export class AnswerTimeoutError extends DrawbridgeError {
  readonly code = 'timeout';
}

/** The authorization server refused to register this client, and might not the next time. */
export class RegistrationError extends DrawbridgeError {
  readonly code = 'registration';
  readonly status: number | undefined;
  readonly oauthError: string | undefined;

  constructor(
    message: string,
    details: ErrorDetails & {
      readonly status?: number | undefined;
      readonly oauthError?: string | undefined;
    } = {},
  ) {
    super(message, details);
    this.status = details.status;
    this.oauthError = details.oauthError;
  }
}

/** The authorization server registers nobody: a client id has to come from its operator. */
export class NoClientError extends DrawbridgeError {
  readonly code = 'no_client';
}

/** Whether the request can have reached the token endpoint, which decides whether a refresh token may be spent. */
export type Sent = 'no' | 'maybe' | 'answered';

/** The token endpoint refused, answered nonsense, or did not answer. */
export class TokenEndpointError extends DrawbridgeError {
  readonly code = 'token_endpoint';
  readonly status: number | undefined;
  /** RFC 6749 §5.2 `error`, where the answer holds one in whatever shape. */
  readonly oauthError: string | undefined;
  readonly sent: Sent;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    details: ErrorDetails & {
      readonly sent: Sent;
      readonly status?: number | undefined;
      readonly oauthError?: string | undefined;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    super(message, details);
    this.sent = details.sent;
    this.status = details.status;
    this.oauthError = details.oauthError;
    this.retryAfterMs = details.retryAfterMs;
  }
}
