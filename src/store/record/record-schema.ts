import * as z from 'zod/mini';
import type { Immutable } from '../../protocol/oauth-settings.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import { StoreError } from '../files/store-errors.ts';

/** The largest tokens seen are Entra ID's with many groups, about 16 KiB. */
export const MAX_TOKEN_CHARS = 48 * 1024;
/** Longer addresses do not survive proxies. */
export const MAX_ADDRESS_CHARS = 8 * 1024;
export const MAX_WORD_CHARS = 4 * 1024;
/** GitLab's and GitHub's whole scope lists are below 1 KiB. */
export const MAX_SCOPE_CHARS = 16 * 1024;
export const MAX_AUTH_METHODS = 32;
/** More than are ever counted. */
const MAX_STEP_UPS = 16;

/** VSCHAR of RFC 6749 appendix A: no CR/LF ever reaches a header. */
const VSCHARS = /^[\x20-\x7e]+$/;

const token = z.string().check(z.maxLength(MAX_TOKEN_CHARS), z.regex(VSCHARS));
const address = z.string().check(z.maxLength(MAX_ADDRESS_CHARS), z.regex(VSCHARS));
const word = z.string().check(z.maxLength(MAX_WORD_CHARS), z.regex(VSCHARS));
const scope = z.string().check(z.maxLength(MAX_SCOPE_CHARS), z.regex(/^[\x20-\x7e]*$/));
const instant = z.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
const count = z.int().check(z.gte(0));

/** 521 bits are 88 characters. */
const keyPart = z.string().check(z.regex(/^[A-Za-z0-9_-]{1,128}$/));
/** RFC 7518 §3.4, RFC 8037 §3.1: each algorithm with its curve. */
export const DPOP_CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519' } as const;
export const dpopKeySchema = z
  .object({
    kty: z.enum(['EC', 'OKP']),
    crv: z.enum(['P-256', 'P-384', 'P-521', 'Ed25519']),
    x: keyPart,
    y: z.optional(keyPart),
    d: keyPart,
    alg: z.enum(['ES256', 'ES384', 'ES512', 'EdDSA']),
  })
  .check(z.refine(({ alg, crv }) => DPOP_CURVES[alg] === crv));

const clientSchema = z.object({
  clientId: word,
  clientSecret: z.optional(word),
  /** Seconds since the epoch, RFC 7591 §3.2.1; 0: never. */
  clientSecretExpiresAt: z.optional(instant),
  tokenEndpointAuthMethod: z.optional(word),
  /** The redirect URI that the registration was made for. */
  redirectUri: z.optional(address),
  source: z.enum(['registered', 'static', 'metadata-document']),
});

const tokensSchema = z.object({
  accessToken: token,
  /** `Bearer` or `DPoP`. */
  tokenType: word,
  refreshToken: z.optional(token),
  /** Milliseconds since the epoch. */
  obtainedAt: instant,
  /** Milliseconds since the epoch; absent: use until 401. */
  expiresAt: z.optional(instant),
  scope: z.optional(scope),
  idToken: z.optional(token),
});

const lastRefreshSchema = z.object({
  /** Milliseconds since the epoch. */
  at: instant,
  /** `refreshed`, an OAuth error code, or a word of ours. */
  outcome: word,
  /** The token endpoint is not called again before then. Milliseconds since the epoch. */
  retryAt: z.optional(instant),
  /** How often in a row it failed; determines the back-off. */
  failures: z.optional(count),
  /** 4xx answers in a row that blamed this refresh token without saying `invalid_grant`. */
  refusals: z.optional(count),
});

export const recordSchema = z.object({
  version: z.literal(1),
  /** Increases with each write; with `family` it shows whether the record has changed since it was read. */
  revision: z.int().check(z.gte(1)),
  /** Random per login; a refresh keeps it. */
  family: word,
  /** Canonical URL of the MCP server. */
  server: address,
  /** `--profile`, for the `status` command; the key decides. */
  profile: z.optional(word),
  /** The machine grant by which the next token is obtained. Absent: a person signed in. */
  grant: z.optional(word),
  /** Byte for byte as sent to the authorization server; absent: not sent. */
  resource: z.optional(address),
  issuer: address,
  endpoints: z.object({ token: address, revocation: z.optional(address) }),
  /** `token_endpoint_auth_methods_supported` of the authorization server metadata. */
  tokenEndpointAuthMethods: z.optional(z.array(word).check(z.maxLength(MAX_AUTH_METHODS))),
  /** Absent: the authorization server no longer knows it (`invalid_client`); the next sign-in registers again. */
  client: z.optional(clientSchema),
  tokens: z.optional(tokensSchema),
  /** RFC 9449: the key that the tokens were requested with. Private, and never sent. */
  dpopKey: z.optional(dpopKeySchema),
  /** The server required bound tokens, and the authorization server could not issue any. */
  withoutDpop: z.optional(z.literal(true)),
  requestedScope: z.optional(scope),
  /** When a person was asked for more scope, the last few times. Milliseconds since the epoch. */
  stepUps: z.optional(z.array(instant).check(z.maxLength(MAX_STEP_UPS))),
  /** SHA-256, base64url, of a refresh token that was refused for good. */
  deadRefreshTokenHash: z.optional(word),
  lastRefresh: z.optional(lastRefreshSchema),
});

/** The record of one login (`record.ts` lists the files around it). */
export type CredentialRecord = Immutable<z.output<typeof recordSchema>>;
export type Client = Immutable<z.output<typeof clientSchema>>;
export type Tokens = Immutable<z.output<typeof tokensSchema>>;
export type LastRefresh = Immutable<z.output<typeof lastRefreshSchema>>;
/** A private key as JWK (RFC 7518 §6.2, RFC 8037 §2), with the algorithm that it signs with. */
export type DpopKey = Immutable<z.output<typeof dpopKeySchema>>;

export type ParsedRecord =
  | { readonly kind: 'record'; readonly record: CredentialRecord }
  /** Written by a later version of the program: this one must not judge, set aside or overwrite it. */
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'corrupt' };

/** Reads the bytes of a record file. The schema drops unknown names, `__proto__` among them. */
export function parseRecord(bytes: Uint8Array): ParsedRecord {
  if (bytes.length > MAX_RECORD_BYTES) return { kind: 'corrupt' };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { kind: 'corrupt' };
  }
  const parsed = recordSchema.safeParse(value);
  if (parsed.success) return { kind: 'record', record: parsed.data };
  const version = laterVersion(value);
  return version === undefined ? { kind: 'corrupt' } : { kind: 'newer', version };
}

function laterVersion(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('version' in value)) return undefined;
  const { version } = value;
  return typeof version === 'number' && Number.isInteger(version) && version > 1 ? version : undefined;
}

/** Writes the bytes of a record file. Throws StoreError if a reader would reject them. */
export function serializeRecord(record: CredentialRecord): Buffer {
  const bytes = Buffer.from(`${JSON.stringify(record, null, 2)}\n`, 'utf8');
  const parsed = parseRecord(bytes);
  if (parsed.kind !== 'record') throw new StoreError('the credential is too large to be kept');
  return bytes;
}
