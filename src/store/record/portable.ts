import { createHash, createPublicKey, sign, verify } from 'node:crypto';
import * as z from 'zod/mini';
import { privateKey } from './private-key.ts';
import type { CredentialRecord, DpopKey, NewRecord } from './record.ts';
import {
  dpopKeySchema,
  MAX_ADDRESS_CHARS,
  MAX_AUTH_METHODS,
  MAX_SCOPE_CHARS,
  MAX_TOKEN_CHARS,
  MAX_WORD_CHARS,
} from './record-schema.ts';
import type { SecretHolder } from './secrets.ts';

/**
 * A credential as `tokens export` writes and `tokens import` and MCP_DRAWBRIDGE_CREDENTIALS read it. The names are OAuth's own, so
 * that the response of a token endpoint is a valid one:
 *
 *   server              the MCP server's address; may be left out if it is given elsewhere
 *   access_token        at least one of these two
 *   refresh_token         … which needs client_id and issuer
 *   expires_at          seconds since the epoch; or expires_in, seconds from now; neither: used until the server refuses it
 *   dpop_jwk            the private key that the tokens are bound to, with its `alg`; a token_type of DPoP needs it
 *   scope, id_token     as granted
 *   issuer              of the authorization server
 *   client_id           with client_secret and token_endpoint_auth_method if it has them
 *   token_endpoint      where the refresh token is sent; without it, `tokens import` asks the issuer
 *   revocation_endpoint, token_endpoint_auth_methods_supported, resource
 */
const visible = (longest: number) => z.string().check(z.maxLength(longest), z.regex(/^[\x21-\x7e]+$/));
const printable = (longest: number) => z.string().check(z.maxLength(longest), z.regex(/^[\x20-\x7e]+$/));
// The limits of a record: everything that is read here can be stored.
const token = visible(MAX_TOKEN_CHARS);
const address = visible(MAX_ADDRESS_CHARS);
const word = printable(MAX_WORD_CHARS);
/** A time plus a lifetime is still a valid time. */
const seconds = z.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER / 2000));

const schema = z.object({
  server: z.optional(address),
  access_token: z.optional(token),
  refresh_token: z.optional(token),
  token_type: z.optional(z.string().check(z.regex(/^(bearer|user|dpop)$/i))),
  expires_at: z.optional(seconds),
  expires_in: z.optional(seconds),
  dpop_jwk: z.optional(dpopKeySchema),
  scope: z.optional(z.union([z.literal(''), printable(MAX_SCOPE_CHARS)])),
  id_token: z.optional(token),
  issuer: z.optional(address),
  client_id: z.optional(word),
  client_secret: z.optional(word),
  token_endpoint_auth_method: z.optional(word),
  redirect_uri: z.optional(address),
  token_endpoint: z.optional(address),
  revocation_endpoint: z.optional(address),
  token_endpoint_auth_methods_supported: z.optional(z.array(word).check(z.maxLength(MAX_AUTH_METHODS))),
  resource: z.optional(address),
});

export type PortableCredential = z.output<typeof schema>;

export type ReadPortable =
  | { readonly kind: 'credential'; readonly credential: PortableCredential }
  /** For a person; quotes nothing from the input. */
  | { readonly kind: 'unusable'; readonly reason: string };

export function readPortable(text: string): ReadPortable {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return unusable('it is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.');
    return unusable(field ? `${field} is not what it has to be` : 'it is not one JSON object');
  }
  const credential = parsed.data;
  const { access_token: access, refresh_token: refresh, client_id: client, issuer } = credential;
  if (access === undefined && refresh === undefined) {
    return unusable('it holds neither access_token nor refresh_token');
  }
  if (refresh !== undefined && (client === undefined || issuer === undefined)) {
    return unusable('a refresh_token needs client_id and issuer');
  }
  const key = credential.dpop_jwk;
  if (key === undefined && isBound(credential)) return unusable('a token_type of DPoP needs dpop_jwk');
  if (key !== undefined && !isUsableKey(key)) return unusable('dpop_jwk is no private key');
  return { kind: 'credential', credential };
}

/** The secrets of an imported credential, under the names of a record. */
export function secretsOfPortable(credential: PortableCredential): SecretHolder {
  return {
    tokens: {
      accessToken: credential.access_token,
      refreshToken: credential.refresh_token,
      idToken: credential.id_token,
    },
    client: { clientSecret: credential.client_secret },
    dpopKey: credential.dpop_jwk,
  };
}

/** RFC 9449: its access token is useless without the key. */
export function isBound({ token_type: type }: PortableCredential): boolean {
  return type?.toLowerCase() === 'dpop';
}

/** Checked here, where a person sees the error, and not with the first message. */
function isUsableKey(jwk: DpopKey): boolean {
  try {
    const key = privateKey(jwk);
    // The members may not be a key pair: the key is read all the same, and a server would refuse its signatures.
    const probe = Buffer.from('probe');
    return verify(null, probe, createPublicKey(key), sign(null, probe, key));
  } catch {
    return false;
  }
}

function unusable(reason: string): ReadPortable {
  return { kind: 'unusable', reason };
}

export function writePortable(record: CredentialRecord): string {
  const { server, resource, issuer, endpoints, client, tokens } = record;
  const credential: PortableCredential = {
    server,
    resource,
    access_token: tokens?.accessToken,
    token_type: tokens?.tokenType,
    dpop_jwk: record.dpopKey,
    refresh_token: tokens?.refreshToken,
    expires_at: tokens?.expiresAt === undefined ? undefined : Math.floor(tokens.expiresAt / 1000),
    scope: tokens?.scope,
    id_token: tokens?.idToken,
    issuer,
    client_id: client?.clientId,
    client_secret: client?.clientSecret,
    token_endpoint_auth_method: client?.tokenEndpointAuthMethod,
    redirect_uri: client?.redirectUri,
    token_endpoint: endpoints.token,
    revocation_endpoint: endpoints.revocation,
    token_endpoint_auth_methods_supported: record.tokenEndpointAuthMethods?.slice(),
  };
  return `${JSON.stringify(credential, null, 2)}\n`;
}

export interface PortableTarget {
  /** Canonical. */
  readonly server: string;
  readonly profile: string;
  /** As returned by `resourceOf`. */
  readonly resource: string | undefined;
  readonly now: number;
}

/** What the user requests with `--resource` and `--no-resource`. */
export interface ResourceWish {
  readonly resource?: string | undefined;
  readonly noResource?: boolean | undefined;
}

/**
 * The `resource` that is sent with this credential. A record stored under the key of `--resource` has to contain the same, or its next reader takes it for
 * another's. `other`: its tokens were issued for another resource than the requested one.
 */
export function resourceOf(
  { resource: issuedFor }: PortableCredential,
  { resource, noResource }: ResourceWish,
): { readonly kind: 'resource'; readonly resource: string | undefined } | { readonly kind: 'other' } {
  if (noResource === true) return { kind: 'resource', resource: undefined };
  if (resource !== undefined && issuedFor !== undefined && resource !== issuedFor) return { kind: 'other' };
  return { kind: 'resource', resource: resource ?? issuedFor };
}

/** A name derived from the credential's contents: the same credential, imported again, has the same family. */
export function seedFamily(credential: PortableCredential): string {
  const { access_token: access, refresh_token: refresh, client_id: client, issuer } = credential;
  const parts = JSON.stringify([issuer ?? null, client ?? null, refresh ?? access]);
  return `seed-${createHash('sha256').update(parts).digest('base64url')}`;
}

/** `credential` as a record; with a refresh token its `token_endpoint` has to be known. */
export function portableRecord(
  credential: PortableCredential,
  { server, profile, resource, now }: PortableTarget,
): NewRecord {
  const {
    client_id: clientId,
    refresh_token: refreshToken,
    expires_at: at,
    expires_in: lifetime,
  } = credential;
  const expiresAt =
    at === undefined ? (lifetime === undefined ? undefined : now + lifetime * 1000) : at * 1000;
  // An access token without a refresh token never needs its issuer again: the server's origin stands for it (MCP 2025-03-26, Fallbacks).
  const { origin } = new URL(server);
  const record = {
    family: seedFamily(credential),
    server,
    profile,
    resource,
    issuer: credential.issuer ?? origin,
    endpoints: present({
      token: credential.token_endpoint ?? `${origin}/token`,
      revocation: credential.revocation_endpoint,
    }),
    dpopKey: credential.dpop_jwk,
    tokenEndpointAuthMethods: credential.token_endpoint_auth_methods_supported,
    client:
      clientId === undefined
        ? undefined
        : present({
            clientId,
            clientSecret: credential.client_secret,
            tokenEndpointAuthMethod: credential.token_endpoint_auth_method,
            redirectUri: credential.redirect_uri,
            source: 'registered' as const,
          }),
    tokens: present({
      // `'none'` is not a usable token: with an expiry in the past it is refreshed before its first use.
      accessToken: credential.access_token ?? 'none',
      tokenType: isBound(credential) ? 'DPoP' : 'Bearer',
      refreshToken,
      ...(credential.access_token === undefined
        ? { obtainedAt: 0, expiresAt: 1 }
        : // Never at or after its expiry: a lifetime of zero comes from a clock that was set, not from an expired token.
          { obtainedAt: Math.max(0, Math.min(now, (expiresAt ?? now + 1) - 1)), expiresAt }),
      scope: credential.scope,
      idToken: credential.id_token,
    }),
  };
  return present(record) as NewRecord;
}

/** Without undefined members, which neither JSON nor a record can hold. */
function present<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
