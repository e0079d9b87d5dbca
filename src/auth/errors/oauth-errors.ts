import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';

/** The parts of an underlying error that its wrapper keeps: the error itself, and the hint for the person. */
export function causedBy(cause: unknown): ErrorDetails {
  const hint = cause instanceof DrawbridgeError ? cause.hint : undefined;
  return hint === undefined ? { cause } : { cause, hint };
}

/** A discovered address that may not be used: not https, with user info, not an address at all. */
export class InsecureUrlError extends DrawbridgeError {
  readonly code = 'insecure_url';
}

/** A public server points to a private, link-local or loopback address. */
export class RefusedAddressError extends DrawbridgeError {
  readonly code = 'refused_address';
}

/** Discovery from the server to its authorization server failed or gave an invalid result. */
export class DiscoveryError extends DrawbridgeError {
  readonly code = 'discovery';
}

/** RFC 8414 §3.3: metadata names another issuer than the expected one. */
export class IssuerMismatchError extends DrawbridgeError {
  readonly code = 'issuer_mismatch';
}

/** RFC 9728 §3.3: protected resource metadata names another resource. */
export class ResourceMismatchError extends DrawbridgeError {
  readonly code = 'resource_mismatch';
}

/** The authorization server does not promise PKCE with S256. */
export class PkceUnsupportedError extends DrawbridgeError {
  readonly code = 'pkce_unsupported';
}

/**
 * A response of an authorization server is larger than its limit, before or after decompression. Not the class of the same name in
 * remote/http/errors.ts: by that one and its `BadAnswerError` the transport and the era of the MCP server are judged.
 */
export class TooLargeError extends DrawbridgeError {
  readonly code = 'too_large';
}

/** A response of an authorization server is not of the expected kind: wrong encoding, not JSON, a field missing. */
export class BadAnswerError extends DrawbridgeError {
  readonly code = 'bad_answer';
}

/** A response was not complete within its time limit. */
export class AnswerTimeoutError extends DrawbridgeError {
  readonly code = 'timeout';
}

/** The authorization server refused to register this client, but might accept another attempt. */
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

/** The authorization server registers no clients: a client id has to come from its operator. */
export class NoClientError extends DrawbridgeError {
  readonly code = 'no_client';
}

/** Whether the request may have reached the token endpoint, which decides whether the refresh token may have been used. */
export type Sent = 'no' | 'maybe' | 'answered';

/** The token endpoint refused, gave an invalid response, or did not answer. */
export class TokenEndpointError extends DrawbridgeError {
  readonly code = 'token_endpoint';
  readonly status: number | undefined;
  /** RFC 6749 §5.2 `error`, if the response has one in any form. */
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
