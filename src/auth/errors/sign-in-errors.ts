import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';
import { hintOf } from './hints.ts';

/** The sign-in ended without a credential, for the reason in the message or the cause. */
export class SignInFailedError extends DrawbridgeError {
  readonly code = 'sign_in_failed';
}

/** The sign-in timed out. */
export class SignInExpiredError extends DrawbridgeError {
  readonly code = 'sign_in_expired';
}

/** The person declined, or the authorization server in their name. */
export class AuthorizationDeniedError extends DrawbridgeError {
  readonly code = 'authorization_denied';
  /** The server's own text, not yet cleaned. */
  readonly serverMessage: string | undefined;

  constructor(message: string, serverMessage: string | undefined, details?: ErrorDetails) {
    super(message, details);
    this.serverMessage = serverMessage;
  }
}

/** The authorization server answered with an error of RFC 6749 §4.1.2.1 other than `access_denied`. */
export class AuthorizationResponseError extends DrawbridgeError {
  readonly code = 'sign_in_failed';
  readonly oauthError: string;

  constructor(message: string, oauthError: string) {
    super(message, hintOf(oauthError));
    this.oauthError = oauthError;
  }
}

/** The callback came from another authorization server than the expected one (RFC 9207). */
export class CallbackIssuerError extends DrawbridgeError {
  readonly code = 'issuer_mismatch';
}
