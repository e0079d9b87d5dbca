import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import { quote } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import { DiscoveryError } from '../errors/oauth-errors.ts';
import type { GuardedFetch } from '../http/guarded-fetch.ts';
import { checkDiscoveredUrl } from '../http/url-policy.ts';
import { findDocument } from './fetch-metadata.ts';
import {
  type AuthorizationServerMetadata,
  checkAuthorizationServerMetadata,
  defaultEndpoints,
  type MetadataExpectation,
  type ProtectedResourceMetadata,
  readProtectedResourceMetadata,
} from './metadata.ts';
import { checkResource } from './resource.ts';
import { authorizationServerMetadataUrls, protectedResourceMetadataUrls } from './well-known.ts';

export interface DiscoverOptions {
  readonly server: URL;
  readonly challenge: BearerChallenge;
  readonly settings: OAuthSettings;
  readonly fetch: GuardedFetch;
  readonly flow?: 'redirect' | 'direct' | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Discovered {
  readonly issuer: string;
  /** Byte for byte as it has to be sent; undefined: it is not sent. */
  readonly resource: string | undefined;
  /** Of the protected resource metadata. */
  readonly scopesSupported?: readonly string[] | undefined;
  readonly metadata: AuthorizationServerMetadata;
  /** Of the protected resource metadata (RFC 9728 §2). */
  readonly dpopRequired?: boolean | undefined;
  readonly resourceDpopAlgs?: readonly string[] | undefined;
}

/**
 * MCP, Authorization → Authorization Server Discovery: from the server to its protected resource metadata (RFC 9728), from there to
 * the metadata of its authorization server (RFC 8414, OpenID Connect Discovery). Rejects with a DrawbridgeError.
 */
export async function discover(options: DiscoverOptions): Promise<Discovered> {
  const { settings } = options;
  const resourceMetadata = await findProtectedResourceMetadata(options);
  const listed = resourceMetadata?.authorizationServers ?? [];
  // The first of several: RFC 9728 §7.6 leaves the choice to the client, and a changing choice would cause new sign-ins.
  const issuer = listed.find((each) => each === settings.issuer) ?? listed[0];
  const metadata =
    issuer === undefined
      ? await authorizationServerAtServer(options)
      : await authorizationServer(issuer, options);
  return {
    issuer: metadata.issuer,
    resource: settings.noResource ? undefined : (settings.resource ?? resourceMetadata?.resource),
    scopesSupported: resourceMetadata?.scopesSupported,
    metadata,
    dpopRequired: resourceMetadata?.dpopRequired,
    resourceDpopAlgs: resourceMetadata?.dpopAlgs,
  };
}

/** RFC 9728; undefined if the server has none. */
export async function findProtectedResourceMetadata(
  options: Pick<DiscoverOptions, 'server' | 'challenge' | 'fetch' | 'signal'>,
): Promise<ProtectedResourceMetadata | undefined> {
  const { server, challenge, fetch, signal } = options;
  const named = challenge.resourceMetadata;
  const urls = [
    // A relative address violates RFC 9728 §5.1, but occurs, and then means one of the others.
    ...(named !== undefined && URL.canParse(named)
      ? [checkDiscoveredUrl(named, 'the resource metadata address of the challenge', fetch.policy)]
      : []),
    ...protectedResourceMetadataUrls(server),
  ];
  return findDocument(fetch, urls, signal, (document) => {
    const metadata = readProtectedResourceMetadata(document);
    checkResource(metadata.resource, server);
    return metadata;
  });
}

async function authorizationServer(
  issuer: string,
  options: DiscoverOptions,
): Promise<AuthorizationServerMetadata> {
  const { fetch, signal } = options;
  const { policy } = fetch;
  const url = checkDiscoveredUrl(issuer, 'the authorization server', policy);
  // RFC 8414 §2.
  if (url.search !== '') throw new DiscoveryError(`the authorization server ${quote(issuer)} holds a query`);
  const found = await findDocument(fetch, authorizationServerMetadataUrls(url), signal, (document) =>
    checkAuthorizationServerMetadata(document, expectation([issuer], options)),
  );
  if (found !== undefined) return found;
  throw new DiscoveryError(`the authorization server ${quote(issuer)} has no metadata where it should be`);
}

/** MCP 2025-03-26: without protected resource metadata the server's origin is the authorization server. */
async function authorizationServerAtServer(options: DiscoverOptions): Promise<AuthorizationServerMetadata> {
  const { server, fetch, signal, settings } = options;
  // Derived by us, not written by the server: both spellings of an origin are right.
  const issuers = [server.origin, `${server.origin}/`];
  const urls = authorizationServerMetadataUrls(new URL(server.origin));
  const found = await findDocument(fetch, urls, signal, (document) =>
    checkAuthorizationServerMetadata(document, expectation(issuers, options)),
  );
  if (found !== undefined) return found;
  if (settings.issuer === undefined || issuers.includes(settings.issuer)) return defaultEndpoints(server);
  throw new DiscoveryError(
    `${quote(server.origin)} names no authorization server, so it cannot be the --issuer ${quote(settings.issuer)}`,
  );
}

function expectation(
  issuers: readonly string[],
  { settings, flow, fetch }: DiscoverOptions,
): MetadataExpectation {
  return { issuers, settings, flow, policy: fetch.policy };
}
