/**
 * What is on disk, per credential:
 *
 *   credentials/KEY.json                  the record below, 0600, replaced whole by rename
 *   credentials/KEY.json.lock             the lock; it queues and decides nothing
 *   credentials/KEY.HASH.N.claim          a reservation of the refresh token with that SHA-256; made with O_EXCL, N from 1;
 *                                         touched for as long as its owner lives
 *   credentials/KEY.HASH.N.answer         room for the record that will follow; its presence says "may have been sent"
 *   credentials/KEY.HASH.N.lost           the same after its owner gave up waiting for the answer
 *   credentials/KEY.lease, .lease.lock    the sign-in that is going on, if any
 *   credentials/KEY.sign-in.json          its status: address, deadline, outcome; no secret
 *   credentials/KEY.corrupt-…             a record that could not be read, set aside; the newest three, until logout
 *   servers/KEY.json                      what the server answered last time; no secret
 */
export interface CredentialRecord {
  readonly version: 1;
  /** Grows with each write; with `family` it tells whether the record is still the one that was read. */
  readonly revision: number;
  /** Random per login; a refresh keeps it. */
  readonly family: string;
  /** Canonical URL of the MCP server. */
  readonly server: string;
  /** `--profile`, for the `status` command; the key is what counts. */
  readonly profile?: string;
  /** The machine grant by which the next token is obtained. Absent: a person signed in. */
  readonly grant?: string;
  /** Byte for byte as sent to the authorization server; absent: not sent. */
  readonly resource?: string;
  readonly issuer: string;
  readonly endpoints: { readonly token: string; readonly revocation?: string };
  /** `token_endpoint_auth_methods_supported` of the authorization server metadata. */
  readonly tokenEndpointAuthMethods?: readonly string[];
  /** Absent: the authorization server no longer knows it (`invalid_client`); the next sign-in registers again. */
  readonly client?: Client;
  readonly tokens?: Tokens;
  /** RFC 9449: what the tokens were asked for with. Private, and never sent. */
  readonly dpopKey?: DpopKey;
  /** The server wanted tokens bound to a key, and the authorization server had none to give. */
  readonly withoutDpop?: true;
  readonly requestedScope?: string;
  /** When a person was asked for more than before, the last few times. Milliseconds since the epoch. */
  readonly stepUps?: readonly number[];
  /** SHA-256, base64url, of a refresh token that was refused for good. */
  readonly deadRefreshTokenHash?: string;
  readonly lastRefresh?: LastRefresh;
}

export interface Client {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** Seconds since the epoch, RFC 7591 §3.2.1; 0: never. */
  readonly clientSecretExpiresAt?: number;
  readonly tokenEndpointAuthMethod?: string;
  /** The redirect URI that the registration was made for. */
  readonly redirectUri?: string;
  readonly source: 'registered' | 'static' | 'metadata-document';
}

/** A private key as JWK (RFC 7518 §6.2, RFC 8037 §2), with the algorithm that it signs with. */
export interface DpopKey {
  readonly kty: 'EC' | 'OKP';
  readonly crv: 'P-256' | 'P-384' | 'P-521' | 'Ed25519';
  readonly x: string;
  readonly y?: string | undefined;
  readonly d: string;
  readonly alg: 'ES256' | 'ES384' | 'ES512' | 'EdDSA';
}

export interface Tokens {
  readonly accessToken: string;
  /** `Bearer` or `DPoP`. */
  readonly tokenType: string;
  readonly refreshToken?: string;
  /** Milliseconds since the epoch. */
  readonly obtainedAt: number;
  /** Milliseconds since the epoch; absent: use until 401. */
  readonly expiresAt?: number;
  readonly scope?: string;
  readonly idToken?: string;
}

export interface LastRefresh {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `refreshed`, an OAuth error code, or a word of ours. */
  readonly outcome: string;
  /** Nobody asks the token endpoint again before then. Milliseconds since the epoch. */
  readonly retryAt?: number;
  /** How often in a row it failed; shapes the back-off. */
  readonly failures?: number;
  /** 4xx answers in a row that blamed this refresh token without saying `invalid_grant`. */
  readonly refusals?: number;
}

/** A record with room to spare for three large JWTs; what is larger is not ours (.github/SECURITY.md, attack 38). */
export const MAX_RECORD_BYTES = 256 * 1024;

/** A record as its writer has it: the store adds the rest. */
export type NewRecord = Omit<CredentialRecord, 'revision' | 'version'>;

/** The record that a write replaces; `null`: there is none. */
export type Expected = Pick<CredentialRecord, 'revision' | 'family'> | null;

export function isExpected(stored: CredentialRecord | undefined, expected: Expected): boolean {
  return stored?.revision === expected?.revision && stored?.family === expected?.family;
}

/** Whose record is looked for: a file copied over another is not it (.github/SECURITY.md, attack 37). */
export interface RecordIdentity {
  readonly server: string;
  /** Only where the user set it. */
  readonly resource?: string | undefined;
}
