import type { CredentialRecord, NewRecord } from '../../../src/store/record/record.ts';

/** A record with every field in use. */
export const wholeRecord: CredentialRecord = {
  version: 1,
  revision: 7,
  family: 'family-1',
  server: 'https://mcp.example/mcp',
  resource: 'https://mcp.example/mcp',
  issuer: 'https://as.example',
  endpoints: { token: 'https://as.example/token', revocation: 'https://as.example/revoke' },
  tokenEndpointAuthMethods: ['none', 'client_secret_basic'],
  client: {
    clientId: 'client-1',
    clientSecret: 'client-secret-canary',
    clientSecretExpiresAt: 0,
    tokenEndpointAuthMethod: 'none',
    redirectUri: 'http://127.0.0.1:4711/callback',
    source: 'registered',
  },
  tokens: {
    accessToken: 'access-token-canary',
    tokenType: 'Bearer',
    refreshToken: 'refresh-token-canary',
    obtainedAt: 1_800_000_000_000,
    expiresAt: 1_800_003_600_000,
    scope: 'read write',
    idToken: 'id-token-canary',
  },
  // RFC 7515 appendix A.3.
  dpopKey: {
    kty: 'EC',
    crv: 'P-256',
    alg: 'ES256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
  withoutDpop: true,
  requestedScope: 'read write',
  deadRefreshTokenHash: 'GGk0V9bpZBVqu2fOTgJ4vNDDnYPNYSLQ0zFAy8TVyT8',
  lastRefresh: {
    at: 1_800_000_000_000,
    outcome: 'status 503',
    retryAt: 1_800_000_001_000,
    failures: 1,
    refusals: 1,
  },
};

/** A login at a token endpoint, its access token at its end. */
export function expiredLogin(tokenEndpoint: string, refreshToken: string, accessToken = 'A0'): NewRecord {
  const now = Date.now();
  return {
    family: 'family-1',
    server: new URL('/mcp', tokenEndpoint).href,
    issuer: new URL(tokenEndpoint).origin,
    endpoints: { token: tokenEndpoint },
    client: { clientId: 'client-1', source: 'registered' },
    tokens: {
      accessToken,
      tokenType: 'Bearer',
      refreshToken,
      obtainedAt: now - 3_600_000,
      expiresAt: now - 1_000,
    },
  };
}
