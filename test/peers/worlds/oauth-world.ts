import type { LookupFunction } from 'node:net';
import { type Discovered, type DiscoverOptions, discover } from '../../../src/auth/discovery/discover.ts';
import { createAddressGuard } from '../../../src/auth/http/address-policy.ts';
import {
  createGuardedFetch,
  type GuardedFetch,
  type UserHeaders,
} from '../../../src/auth/http/guarded-fetch.ts';
import { oauthDefaults } from '../../../src/config/oauth-config.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import type { Http } from '../../../src/platform/http/http.ts';
import { createHttp } from '../../../src/platform/http/undici.ts';
import type { OAuthSettings } from '../../../src/protocol/oauth-settings.ts';
import { json, startWebOrigin, type WebOrigin } from '../net/web-origin.ts';

export interface OAuthWorldOptions {
  readonly serverPath?: string;
  readonly issuerPath?: string;
  readonly clock?: Clock;
}

/** A protected server, its authorization server and a third party, all well-behaved until told otherwise, and our way to them. */
export interface OAuthWorld extends AsyncDisposable {
  readonly resource: WebOrigin;
  readonly authorization: WebOrigin;
  /** Nobody has any business here. */
  readonly stranger: WebOrigin;
  readonly server: URL;
  readonly issuer: string;
  readonly fetch: GuardedFetch;
  /** The metadata, with changes, where it belongs. */
  resourceMetadata(change?: Record<string, unknown>): Record<string, unknown>;
  issuerMetadata(change?: Record<string, unknown>): Record<string, unknown>;
  discover(
    options?: Partial<Omit<DiscoverOptions, 'settings'>> & { settings?: Partial<OAuthSettings> },
  ): Promise<Discovered>;
}

export async function createOAuthWorld(options: OAuthWorldOptions = {}): Promise<OAuthWorld> {
  const { serverPath = '/mcp', issuerPath = '', clock = systemClock } = options;
  const [resource, authorization, stranger] = await Promise.all([
    startWebOrigin(),
    startWebOrigin(),
    startWebOrigin(),
  ]);
  const server = new URL(serverPath, resource.origin);
  const issuer = `${authorization.origin}${issuerPath}`;
  const { fetch, http } = await openFetch(server, { clock });
  const world: OAuthWorld = {
    resource,
    authorization,
    stranger,
    server,
    issuer,
    fetch,
    resourceMetadata: (change) => ({ resource: server.href, authorization_servers: [issuer], ...change }),
    issuerMetadata: (change) => ({
      issuer,
      authorization_endpoint: `${authorization.origin}/authorize`,
      token_endpoint: `${authorization.origin}/token`,
      registration_endpoint: `${authorization.origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      ...change,
    }),
    discover: ({ settings, ...change } = {}) =>
      discover({ server, challenge: {}, fetch, ...change, settings: { ...oauthDefaults, ...settings } }),
    [Symbol.asyncDispose]: async () => {
      await http.close();
      for (const origin of [resource, authorization, stranger]) await origin[Symbol.asyncDispose]();
    },
  };
  resource.on(`/.well-known/oauth-protected-resource${serverPath}`, json(world.resourceMetadata()));
  authorization.on(`/.well-known/oauth-authorization-server${issuerPath}`, json(world.issuerMetadata()));
  return world;
}

export interface OpenFetchOptions {
  readonly clock?: Clock;
  readonly allowHttp?: boolean;
  readonly headers?: UserHeaders;
  readonly lookup?: LookupFunction;
  /** An address at which the server has been reached before. */
  readonly seenAt?: string;
  /** The environment's proxy variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A guarded fetch over the real HTTP client, as the sign-in makes one. */
export async function openFetch(
  server: URL,
  { clock = systemClock, allowHttp = false, headers, lookup, seenAt, env = {} }: OpenFetchOptions = {},
): Promise<{ fetch: GuardedFetch; http: Http }> {
  const addresses = createAddressGuard(server);
  if (seenAt !== undefined) addresses.allow(seenAt, server.hostname);
  const http = await createHttp({
    env,
    allowAddress: addresses.allow,
    ...(lookup === undefined ? {} : { lookup }),
  });
  return { http, fetch: createGuardedFetch({ http, addresses, server, headers, allowHttp, clock }) };
}

/** A name server that a test holds in its hand. */
export function lookupFrom(addresses: (hostname: string) => string): LookupFunction {
  return (hostname, options, callback) => {
    const address = addresses(hostname);
    if (options.all) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
}

/** A clock on which nothing takes more than a moment, and which tells how long it was asked to wait. */
export function hurriedClock(): Clock & { readonly asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    now: systemClock.now,
    monotonic: systemClock.monotonic,
    uptime: systemClock.uptime,
    sleep: (ms, signal) => {
      asked.push(ms);
      return systemClock.sleep(Math.min(ms, 300), signal);
    },
  };
}
