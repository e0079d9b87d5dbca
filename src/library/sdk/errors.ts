import { DrawbridgeError, type ErrorCode } from '../../errors.ts';

/** What an error means for the program that gets it. */
export type ErrorKind =
  /** A sign-in is needed; `SignInNeededError` has the address. */
  | 'sign_in_needed'
  /** Refused: by the person, the authorization server or the MCP server. A retry gets the same answer. */
  | 'refused'
  /** It may succeed later. */
  | 'unavailable'
  /** The logins cannot be read or written. */
  | 'store'
  /** An option, or an argument of a call, is unusable. */
  | 'options'
  /** The login was closed. */
  | 'aborted'
  /** A bug in this package. */
  | 'internal';

/** The meaning of each code, and the closest OAuth error (RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.1). */
const MEANING: Readonly<Record<ErrorCode, readonly [ErrorKind, oauth: string]>> = {
  usage: ['options', 'invalid_request'],
  config: ['options', 'invalid_request'],
  not_replayable: ['options', 'invalid_request'],
  host_file: ['options', 'invalid_request'],
  network: ['unavailable', 'temporarily_unavailable'],
  timeout: ['unavailable', 'temporarily_unavailable'],
  token_endpoint: ['unavailable', 'temporarily_unavailable'],
  lock_timeout: ['unavailable', 'temporarily_unavailable'],
  tls: ['unavailable', 'server_error'],
  http_status: ['unavailable', 'server_error'],
  bad_answer: ['unavailable', 'server_error'],
  too_large: ['unavailable', 'server_error'],
  discovery: ['unavailable', 'server_error'],
  callback_port: ['unavailable', 'server_error'],
  browser: ['unavailable', 'server_error'],
  insecure_url: ['refused', 'invalid_request'],
  refused_address: ['refused', 'invalid_request'],
  other_origin: ['refused', 'invalid_request'],
  issuer_mismatch: ['refused', 'server_error'],
  resource_mismatch: ['refused', 'invalid_target'],
  pkce_unsupported: ['refused', 'server_error'],
  registration: ['refused', 'invalid_client_metadata'],
  no_client: ['refused', 'invalid_client'],
  authorization_denied: ['refused', 'access_denied'],
  sign_in_failed: ['refused', 'access_denied'],
  sign_in_expired: ['sign_in_needed', 'access_denied'],
  sign_in_needed: ['sign_in_needed', 'unauthorized'],
  static_authorization_refused: ['refused', 'invalid_token'],
  fresh_token_refused: ['refused', 'invalid_token'],
  dpop: ['refused', 'invalid_token'],
  scope_refused: ['refused', 'insufficient_scope'],
  grant_refused: ['refused', 'invalid_grant'],
  store: ['store', 'server_error'],
  store_insecure: ['store', 'server_error'],
  store_read_only: ['store', 'server_error'],
  store_moved: ['store', 'server_error'],
  store_away: ['store', 'temporarily_unavailable'],
  keychain: ['store', 'server_error'],
  keychain_locked: ['store', 'temporarily_unavailable'],
  keychain_absent: ['store', 'server_error'],
  keychain_no_bus: ['store', 'server_error'],
  keychain_key_missing: ['store', 'server_error'],
  unknown_key: ['store', 'server_error'],
  not_authentic: ['store', 'server_error'],
  aborted: ['aborted', 'server_error'],
  internal: ['internal', 'server_error'],
};

/** The meaning of an error of this package; undefined for any other, such as the reason of a signal or an error of the caller's `fetch`. */
export function errorKind(error: unknown): ErrorKind | undefined {
  return error instanceof DrawbridgeError ? MEANING[error.code][0] : undefined;
}

/**
 * The error classes of the MCP SDK that the program uses: of 1.x those of `server/auth/errors.js` and `UnauthorizedError`; of 2.x all of them are exported by
 * the client.
 */
export interface SdkErrors {
  readonly UnauthorizedError: new (message?: string) => Error;
  /** Of 1.x: `AccessDeniedError`, `InvalidGrantError`, … Of 2.x: `OAuthError`. */
  readonly [name: string]: unknown;
}

/**
 * The error as the SDK's own OAuth code would throw it, for programs that check for its classes: `UnauthorizedError` if a sign-in is needed, else the class of
 * the closest OAuth error (`access_denied`: `AccessDeniedError` of 1.x, `OAuthError` with that code of 2.x). Its `cause` is the original error. Any other
 * error, and one without a class among these, is returned unchanged.
 */
export function toSdkError(error: unknown, sdk: SdkErrors): unknown {
  if (!(error instanceof DrawbridgeError)) return error;
  const { code, message } = error;
  const [kind, oauth] = MEANING[code];
  const made =
    kind === 'sign_in_needed' ? new sdk.UnauthorizedError(message) : oauthError(oauth, message, sdk);
  return made === undefined ? error : Object.assign(made, { cause: error });
}

function oauthError(oauth: string, message: string, sdk: SdkErrors): Error | undefined {
  const name = oauth.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const { [`${name}Error`]: own, OAuthError: general } = sdk;
  if (typeof own === 'function') return new (own as new (message: string) => Error)(message);
  if (typeof general !== 'function') return undefined;
  return new (general as new (code: string, message: string) => Error)(oauth, message);
}
