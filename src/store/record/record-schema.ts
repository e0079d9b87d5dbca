import * as z from 'zod/mini';
import { StoreError } from '../files/store-errors.ts';
import { type CredentialRecord, MAX_RECORD_BYTES } from './record.ts';

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

const recordSchema = z.object({
  version: z.literal(1),
  revision: z.int().check(z.gte(1)),
  family: word,
  server: address,
  profile: z.optional(word),
  grant: z.optional(word),
  resource: z.optional(address),
  issuer: address,
  endpoints: z.object({ token: address, revocation: z.optional(address) }),
  tokenEndpointAuthMethods: z.optional(z.array(word).check(z.maxLength(MAX_AUTH_METHODS))),
  client: z.optional(
    z.object({
      clientId: word,
      clientSecret: z.optional(word),
      clientSecretExpiresAt: z.optional(instant),
      tokenEndpointAuthMethod: z.optional(word),
      redirectUri: z.optional(address),
      source: z.enum(['registered', 'static', 'metadata-document']),
    }),
  ),
  tokens: z.optional(
    z.object({
      accessToken: token,
      tokenType: word,
      refreshToken: z.optional(token),
      obtainedAt: instant,
      expiresAt: z.optional(instant),
      scope: z.optional(scope),
      idToken: z.optional(token),
    }),
  ),
  dpopKey: z.optional(dpopKeySchema),
  withoutDpop: z.optional(z.literal(true)),
  requestedScope: z.optional(scope),
  stepUps: z.optional(z.array(instant).check(z.maxLength(MAX_STEP_UPS))),
  deadRefreshTokenHash: z.optional(word),
  lastRefresh: z.optional(
    z.object({
      at: instant,
      outcome: word,
      retryAt: z.optional(instant),
      failures: z.optional(count),
      refusals: z.optional(count),
    }),
  ),
});

export type ParsedRecord =
  | { readonly kind: 'record'; readonly record: CredentialRecord }
  /** Written by a later version of the program: not ours to judge, set aside or overwrite. */
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'corrupt' };

/** The bytes of a record file → the record. Unknown names, `__proto__` among them, are dropped by the schema. */
export function parseRecord(bytes: Uint8Array): ParsedRecord {
  if (bytes.length > MAX_RECORD_BYTES) return { kind: 'corrupt' };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { kind: 'corrupt' };
  }
  const parsed = recordSchema.safeParse(value);
  if (parsed.success) return { kind: 'record', record: withoutUndefined(parsed.data) };
  const version = laterVersion(value);
  return version === undefined ? { kind: 'corrupt' } : { kind: 'newer', version };
}

/** The schema's type has `| undefined` where JSON has absence; JSON cannot hold the former. */
function withoutUndefined(data: z.infer<typeof recordSchema>): CredentialRecord {
  return data as CredentialRecord;
}

function laterVersion(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('version' in value)) return undefined;
  const { version } = value;
  return typeof version === 'number' && Number.isInteger(version) && version > 1 ? version : undefined;
}

/** The record → the bytes of its file. Throws StoreError when a reader would not accept it. */
export function serializeRecord(record: CredentialRecord): Buffer {
  const bytes = Buffer.from(`${JSON.stringify(record, null, 2)}\n`, 'utf8');
  const parsed = parseRecord(bytes);
  if (parsed.kind !== 'record') throw new StoreError('the credential is too large to be kept');
  return bytes;
}
