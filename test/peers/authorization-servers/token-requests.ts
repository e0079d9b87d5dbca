import { exchangeCode, refresh } from '../../../src/auth/token/token-request.ts';
import type { Client } from '../../../src/store/record/record.ts';
import type { OAuthWorld } from '../worlds/oauth-world.ts';

export const PUBLIC: Client = { clientId: 'client', source: 'registered' };
export const CONFIDENTIAL: Client = { ...PUBLIC, clientSecret: 'client-secret-canary' };
export const TOKENS = { access_token: 'access', token_type: 'Bearer', expires_in: 60 };
export const REFRESH_TOKEN = 'refresh/token+canary==';
export const RESOURCE = 'https://mcp.example';

export type RefreshChange = Partial<Parameters<typeof refresh>[0]>;

export function refreshAt(world: OAuthWorld, change: RefreshChange = {}) {
  return refresh({
    fetch: world.fetch,
    issuer: world.issuer,
    tokenEndpoint: `${world.issuer}/token`,
    client: PUBLIC,
    refreshToken: REFRESH_TOKEN,
    resource: RESOURCE,
    signal: new AbortController().signal,
    ...change,
  });
}

export function exchangeAt(world: OAuthWorld, client: Client = PUBLIC, methods?: string[]) {
  return exchangeCode({
    fetch: world.fetch,
    issuer: world.issuer,
    tokenEndpoint: `${world.issuer}/token`,
    tokenEndpointAuthMethods: methods,
    client,
    code: 'code-canary',
    codeVerifier: 'verifier-canary',
    redirectUri: 'http://127.0.0.1:5000/callback',
    resource: RESOURCE,
  });
}
