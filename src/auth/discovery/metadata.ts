import * as z from 'zod/mini';
import { lenient } from '../../platform/lenient.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import { quote } from '../../protocol/quote.ts';
import { MAX_AUTH_METHODS } from '../../store/record/record-schema.ts';
import { DiscoveryError, PkceUnsupportedError } from '../errors/oauth-errors.ts';
import { checkDiscoveredUrl, type UrlPolicy } from '../http/url-policy.ts';
import { checkIssuer, type IssuerExpectation } from './issuer.ts';

declare const checked: unique symbol;

/** The fields of RFC 8414 §2 that are used. Only the checks in this file create one: its holders need not check again. */
export interface AuthorizationServerMetadata {
  readonly [checked]: true;
  readonly issuer: string;
  /** Only for grants with a redirect; otherwise it may be absent. */
  readonly authorizationEndpoint?: string | undefined;
  readonly tokenEndpoint: string;
  readonly registrationEndpoint?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
  /** RFC 8628 §4. */
  readonly deviceAuthorizationEndpoint?: string | undefined;
  /** RFC 9126 §5; only if it is required: otherwise the plain request works. */
  readonly pushedAuthorizationRequestEndpoint?: string | undefined;
  /** OAuth Client ID Metadata Document §5. */
  readonly takesMetadataDocuments?: boolean | undefined;
  readonly scopesSupported?: readonly string[] | undefined;
  readonly tokenEndpointAuthMethods?: readonly string[] | undefined;
  /** RFC 9449 §5.1; absent: it does not say that it binds tokens to keys. */
  readonly dpopAlgs?: readonly string[] | undefined;
  /** RFC 9207 §3: its callbacks without `iss` are forged. */
  readonly issParameterSupported: boolean;
}

/** The fields of RFC 9728 §2 that are used. */
export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly scopesSupported?: readonly string[] | undefined;
  /** It accepts only tokens that are bound to a key. */
  readonly dpopRequired?: boolean | undefined;
  /** The accepted signing algorithms for proofs; absent: not stated. */
  readonly dpopAlgs?: readonly string[] | undefined;
}

export interface MetadataExpectation extends IssuerExpectation {
  readonly settings: Pick<OAuthSettings, 'issuer' | 'tenantIssuer' | 'assumePkce'>;
  /** `direct`: a grant without a redirect, which needs neither an authorization endpoint nor PKCE. */
  readonly flow?: 'redirect' | 'direct' | undefined;
  readonly policy: UrlPolicy;
}

const AS_METADATA = 'authorization server metadata';

const names = z.array(z.string());

const protectedResourceSchema = z.object({
  resource: z.string(),
  authorization_servers: z.optional(names),
  scopes_supported: lenient(names),
  dpop_bound_access_tokens_required: lenient(z.boolean()),
  dpop_signing_alg_values_supported: lenient(names),
});

const authorizationServerSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.optional(z.string()),
  token_endpoint: z.string(),
  registration_endpoint: lenient(z.string()),
  revocation_endpoint: lenient(z.string()),
  device_authorization_endpoint: lenient(z.string()),
  pushed_authorization_request_endpoint: lenient(z.string()),
  require_pushed_authorization_requests: lenient(z.boolean()),
  client_id_metadata_document_supported: lenient(z.boolean()),
  scopes_supported: lenient(names),
  response_types_supported: lenient(names),
  token_endpoint_auth_methods_supported: lenient(names),
  // Not lenient: an unreadable value is neither a promise nor an absence.
  code_challenge_methods_supported: z.optional(names),
  authorization_response_iss_parameter_supported: lenient(z.boolean()),
  dpop_signing_alg_values_supported: lenient(names),
});

export function readProtectedResourceMetadata(document: unknown): ProtectedResourceMetadata {
  const data = parse(protectedResourceSchema, document, 'protected resource metadata');
  return withoutUndefined({
    resource: data.resource,
    authorizationServers: data.authorization_servers ?? [],
    scopesSupported: data.scopes_supported,
    dpopRequired: data.dpop_bound_access_tokens_required || undefined,
    dpopAlgs: data.dpop_signing_alg_values_supported,
  });
}

export function checkAuthorizationServerMetadata(
  document: unknown,
  expectation: MetadataExpectation,
): AuthorizationServerMetadata {
  const { settings, policy, flow = 'redirect' } = expectation;
  const read = parse(authorizationServerSchema, document, AS_METADATA);
  const data = { ...read, issuer: checkIssuer(read.issuer, expectation) };
  if (flow === 'redirect') {
    if (data.authorization_endpoint === undefined) throw missing('authorization_endpoint', AS_METADATA);
    if (data.response_types_supported !== undefined && !data.response_types_supported.includes('code')) {
      throw new DiscoveryError(`${quote(data.issuer)} does not offer the response type "code"`);
    }
    checkPkce(data.issuer, data.code_challenge_methods_supported, settings);
  }
  const endpoint = (text: string, what: string) =>
    checkDiscoveredUrl(text, `the ${what} endpoint`, policy).href;
  const optional = (text: string | undefined, what: string) =>
    text === undefined ? undefined : endpoint(text, what);
  const pushed =
    data.require_pushed_authorization_requests === true
      ? data.pushed_authorization_request_endpoint
      : undefined;
  const metadata = withoutUndefined({
    issuer: data.issuer,
    authorizationEndpoint: optional(data.authorization_endpoint, 'authorization'),
    tokenEndpoint: endpoint(data.token_endpoint, 'token'),
    registrationEndpoint: optional(data.registration_endpoint, 'registration'),
    revocationEndpoint: optional(data.revocation_endpoint, 'revocation'),
    deviceAuthorizationEndpoint: optional(data.device_authorization_endpoint, 'device authorization'),
    pushedAuthorizationRequestEndpoint: optional(pushed, 'pushed authorization request'),
    takesMetadataDocuments: data.client_id_metadata_document_supported || undefined,
    scopesSupported: data.scopes_supported,
    tokenEndpointAuthMethods: data.token_endpoint_auth_methods_supported
      ?.filter(isMethodName)
      .slice(0, MAX_AUTH_METHODS),
    dpopAlgs: data.dpop_signing_alg_values_supported,
    issParameterSupported: data.authorization_response_iss_parameter_supported === true,
  });
  return asChecked(metadata);
}

/** The only function that creates the branded type. */
function asChecked(metadata: Omit<AuthorizationServerMetadata, typeof checked>): AuthorizationServerMetadata {
  return metadata as AuthorizationServerMetadata;
}

/** MCP 2025-03-26, "Fallbacks for Servers without Metadata Discovery": nothing is promised there; S256 is sent all the same. */
export function defaultEndpoints(server: URL): AuthorizationServerMetadata {
  const at = (path: string) => new URL(path, server.origin).href;
  return asChecked({
    issuer: server.origin,
    authorizationEndpoint: at('/authorize'),
    tokenEndpoint: at('/token'),
    registrationEndpoint: at('/register'),
    issParameterSupported: false,
  });
}

/** MCP, Authorization → Authorization Code Protection: a client has to refuse a server that does not promise S256 (.github/SECURITY.md, attack 10). */
function checkPkce(
  issuer: string,
  methods: readonly string[] | undefined,
  { assumePkce }: MetadataExpectation['settings'],
): void {
  if (methods?.includes('S256') || (methods === undefined && assumePkce)) return;
  if (methods !== undefined) {
    throw new PkceUnsupportedError(`${quote(issuer)} offers PKCE, but not with S256`);
  }
  throw new PkceUnsupportedError(`${quote(issuer)} does not say that it supports PKCE`, {
    hint: 'If you know that it does, add --assume-pkce: S256 is then sent without the promise.',
  });
}

function isMethodName(name: string): boolean {
  return /^[a-z0-9_]{1,64}$/.test(name);
}

function parse<T extends z.core.$ZodType>(schema: T, document: unknown, what: string): z.output<T> {
  const result = z.safeParse(schema, document);
  if (result.success) return result.data;
  throw missing(result.error.issues[0]?.path.join('.') ?? '', what);
}

function missing(field: string, what: string): DiscoveryError {
  return new DiscoveryError(`in the ${what}, ${quote(field)} is missing or is not what it has to be`);
}
