import { redactor } from './redaction/secrets.ts';

/**
 * Every failure that the program expects has a class, here or in the folder that throws it, and a code from this list. Code decides by the code and never by
 * the message. Messages are for people; they read from the outermost error to its cause and escape everything they quote.
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
  | 'store_away'
  | 'store_moved'
  | 'lock_timeout'
  | 'keychain_locked'
  | 'keychain_absent'
  | 'keychain_no_bus'
  | 'keychain_key_missing'
  | 'keychain'
  | 'unknown_key'
  | 'not_authentic'
  | 'callback_port'
  | 'browser'
  | 'host_file'
  | 'not_replayable'
  | 'other_origin'
  | 'internal';

/** The optional parts of a `DrawbridgeError`. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** What the user can do about it, in one sentence. */
  readonly hint?: string | undefined;
  /** The check of `doctor` that finds the cause, if it is not the one for the error's code. */
  readonly check?: CheckId | undefined;
}

/** The base class of every expected failure. `code` is stable; `hint` says what to do. */
export abstract class DrawbridgeError extends Error {
  abstract readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly #check: CheckId | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
    this.#check = details.check;
  }

  /** The check of `doctor` that finds the cause; undefined for an error without a cause in the environment. */
  get check(): CheckId | undefined {
    return this.#check ?? CHECK_OF[this.code];
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

/** The checks of `doctor`, in the order in which they run, and what each checks. Errors of the bridge carry the id of the check that finds their cause. */
export const CHECKS = {
  'node.version': 'the Node that runs this program',
  browser: 'how a sign-in page can be opened here',
  environment: 'network settings, and those that hosts may withhold',
  'store.folder': 'the folder with the logins',
  keychain: 'the keychain with the key of sealed logins',
  'store.engine': 'the shared store: whether it answers, its key, and its settings',
  'store.locks': 'what is going on there',
  'hosts.entries': 'the entries of MCP hosts that run this program',
  'hosts.mcp-remote': 'entries that run mcp-remote',
  dns: "the server's name",
  proxy: 'the proxy on the way',
  tcp: 'a connection to the server',
  tls: "the server's certificate",
  clock: "this machine's clock",
  endpoint: 'what answers at the address',
  'auth.challenge': 'how the server asks for a sign-in',
  'auth.metadata': 'the authorization server and its metadata',
  'auth.registration': 'the OAuth client',
  'auth.callback': 'the address to which the browser comes back',
  login: 'the login on this machine',
  'server.answers': 'initialize and tools/list',
} as const satisfies Record<string, string>;

/** The stable name of a check. */
export type CheckId = keyof typeof CHECKS;

const CHECK_OF: Readonly<Partial<Record<ErrorCode, CheckId>>> = {
  network: 'tcp',
  timeout: 'tcp',
  tls: 'tls',
  http_status: 'endpoint',
  bad_answer: 'endpoint',
  too_large: 'endpoint',
  static_authorization_refused: 'auth.challenge',
  insecure_url: 'auth.metadata',
  refused_address: 'auth.metadata',
  discovery: 'auth.metadata',
  issuer_mismatch: 'auth.metadata',
  resource_mismatch: 'auth.metadata',
  pkce_unsupported: 'auth.metadata',
  registration: 'auth.registration',
  no_client: 'auth.registration',
  callback_port: 'auth.callback',
  browser: 'browser',
  token_endpoint: 'login',
  authorization_denied: 'login',
  sign_in_needed: 'login',
  sign_in_failed: 'login',
  sign_in_expired: 'login',
  fresh_token_refused: 'login',
  scope_refused: 'login',
  grant_refused: 'login',
  dpop: 'clock',
  store: 'store.folder',
  store_insecure: 'store.folder',
  store_read_only: 'store.folder',
  store_moved: 'login',
  store_away: 'store.engine',
  keychain_locked: 'keychain',
  keychain_absent: 'keychain',
  keychain_no_bus: 'keychain',
  keychain_key_missing: 'keychain',
  keychain: 'keychain',
  unknown_key: 'store.folder',
  not_authentic: 'store.folder',
  lock_timeout: 'store.locks',
};

/** The check of an error, for a JSON-RPC error's `data`; undefined if there is nothing to add. */
export function checkIn(error: DrawbridgeError | undefined): { readonly check: CheckId } | undefined {
  const check = error?.check;
  return check === undefined ? undefined : { check };
}
