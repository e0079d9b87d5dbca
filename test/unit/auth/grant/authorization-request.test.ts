import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { defaultEndpoints } from '../../../../src/auth/discovery/metadata.ts';
import {
  type AuthorizationRequestOptions,
  authorizationRequest,
} from '../../../../src/auth/grant/authorization-request.ts';

const base: AuthorizationRequestOptions = {
  metadata: defaultEndpoints(new URL('https://as.example')),
  client: { clientId: 'c 1', source: 'registered' },
  redirectUri: 'http://127.0.0.1:5000/callback',
  scope: 'a b',
  state: 'the-state',
  resource: 'https://mcp.example',
};

async function parameters(change: Partial<AuthorizationRequestOptions> = {}) {
  const { address, codeVerifier } = await authorizationRequest({ ...base, ...change });
  return { url: new URL(address), query: new URL(address).searchParams, codeVerifier, address };
}

test('contains every parameter of the flow once', async () => {
  const { url, query, codeVerifier } = await parameters();
  expect(url.origin + url.pathname).toBe('https://as.example/authorize');
  expect(codeVerifier).toMatch(/^[A-Za-z0-9\-._~]{43,128}$/);
  expect([...query]).toEqual([
    ['response_type', 'code'],
    ['client_id', 'c 1'],
    ['redirect_uri', 'http://127.0.0.1:5000/callback'],
    ['state', 'the-state'],
    ['scope', 'a b'],
    ['resource', 'https://mcp.example'],
    ['code_challenge', createHash('sha256').update(codeVerifier).digest('base64url')],
    ['code_challenge_method', 'S256'],
  ]);
});

test('uses a new verifier each time', async () => {
  const [one, other] = [await parameters(), await parameters()];
  expect(one.codeVerifier).not.toBe(other.codeVerifier);
});

test('computes the challenge of RFC 7636 appendix B', async () => {
  const bytes = Buffer.from('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', 'base64url');
  const random = { bytes: () => bytes, fraction: () => 0 };
  const { query, codeVerifier } = await parameters({ random });
  expect(codeVerifier).toBe('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
  expect(query.get('code_challenge')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
});

test('sends neither scope nor resource if there is none', async () => {
  const { query } = await parameters({ scope: undefined, resource: undefined });
  expect(query.has('scope')).toBe(false);
  expect(query.has('resource')).toBe(false);
});

test("keeps the endpoint's own parameters, which never replace ours", async () => {
  const metadata = {
    ...base.metadata,
    authorizationEndpoint:
      'https://as.example/authorize?p=policy&client_id=evil&redirect_uri=https://evil.example/&redirect_uri=2&scope=all&state=x&code_challenge_method=plain',
  };
  const { query } = await parameters({ metadata, scope: undefined });
  expect(query.get('p')).toBe('policy');
  expect(query.getAll('client_id')).toEqual(['c 1']);
  expect(query.getAll('redirect_uri')).toEqual(['http://127.0.0.1:5000/callback']);
  expect(query.getAll('state')).toEqual(['the-state']);
  expect(query.getAll('code_challenge_method')).toEqual(['S256']);
  expect(query.has('scope')).toBe(false);
});

test('offline_access adds the consent prompt (OpenID Connect Core §11)', async () => {
  expect((await parameters({ scope: 'a offline_access' })).query.get('prompt')).toBe('consent');
  expect((await parameters({ scope: 'a not_offline_access' })).query.has('prompt')).toBe(false);
});

test('the address contains no character that a shell interprets (SECURITY.md, attack 2)', async () => {
  const { address } = await parameters({ scope: '$(touch`m`) ;|&"\'<>\\', state: "'; touch m; '" });
  expect(address).not.toMatch(/[\s"'`<>\\;|$()]/);
});
