import { describe, expect, test } from 'vitest';
import {
  checkAuthorizationServerMetadata,
  defaultEndpoints,
  readProtectedResourceMetadata,
} from '../../../../src/auth/discovery/metadata.ts';
import {
  DiscoveryError,
  InsecureUrlError,
  IssuerMismatchError,
  PkceUnsupportedError,
  RefusedAddressError,
} from '../../../../src/auth/errors/oauth-errors.ts';
import { createAddressGuard } from '../../../../src/auth/http/address-policy.ts';
import { oauthDefaults } from '../../../../src/config/oauth-config.ts';

const issuer = 'https://as.example/tenant';
const document = {
  issuer,
  authorization_endpoint: 'https://as.example/authorize',
  token_endpoint: 'https://as.example/token',
  registration_endpoint: 'https://as.example/register',
  revocation_endpoint: 'https://as.example/revoke',
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
  scopes_supported: ['a'],
  authorization_response_iss_parameter_supported: true,
};
const server = new URL('https://mcp.example/mcp');
const policy = { server, allowHttp: false, addresses: createAddressGuard(server) };

function check(change: Record<string, unknown> = {}, assumePkce = false) {
  const given: Record<string, unknown> = { ...document, ...change };
  return checkAuthorizationServerMetadata(given, {
    issuers: [issuer],
    settings: { ...oauthDefaults, assumePkce },
    policy,
  });
}

test('keeps the fields that are used, and drops the rest', () => {
  expect(check({ jwks_uri: 'javascript:x', extra: { deep: [] } })).toEqual({
    issuer,
    authorizationEndpoint: 'https://as.example/authorize',
    tokenEndpoint: 'https://as.example/token',
    registrationEndpoint: 'https://as.example/register',
    revocationEndpoint: 'https://as.example/revoke',
    scopesSupported: ['a'],
    tokenEndpointAuthMethods: ['none', 'client_secret_basic'],
    issParameterSupported: true,
  });
});

test('accepts a minimal document', () => {
  const { issuer, authorization_endpoint, token_endpoint } = document;
  const minimal = {
    issuer,
    authorization_endpoint,
    token_endpoint,
    code_challenge_methods_supported: ['S256'],
  };
  expect(
    checkAuthorizationServerMetadata(minimal, { issuers: [issuer], settings: oauthDefaults, policy }),
  ).toEqual({
    issuer,
    authorizationEndpoint: authorization_endpoint,
    tokenEndpoint: token_endpoint,
    issParameterSupported: false,
  });
});

describe('the issuer, byte for byte (SECURITY.md, attack 6)', () => {
  test.each([
    'https://as.example/tenant/',
    'https://as.example/Tenant',
    'https://AS.example/tenant',
    'https://as.example:443/tenant',
    'https://as.example/./tenant',
    'https://as.example/tenant?x',
    'https://as.example',
    'http://as.example/tenant',
    'https://evil.example/tenant',
    ' https://as.example/tenant',
    'https://login.example/{tenantid}/v2.0',
    '',
  ])('%j is another issuer', (other) => {
    expect(() => check({ issuer: other })).toThrow(IssuerMismatchError);
  });
});

describe('PKCE (SECURITY.md, attack 10)', () => {
  const missing = 'code_challenge_methods_supported';
  test.each([
    ['S256 among others', ['plain', 'S256'], false, true],
    ['plain alone', ['plain'], false, false],
    ['plain alone, whatever the user says', ['plain'], true, false],
    ['an empty list', [], true, false],
    ['silent', undefined, false, false],
    ['silent, and the user knows better', undefined, true, true],
    ['in lower case', ['s256'], true, false],
  ])('%s', (_, methods, assumePkce, accepted) => {
    if (accepted) expect(check({ [missing]: methods }, assumePkce).issuer).toBe(issuer);
    else expect(() => check({ [missing]: methods }, assumePkce)).toThrow(PkceUnsupportedError);
  });

  test('--assume-pkce is suggested only if the metadata is silent', () => {
    const hint = (methods: unknown) => {
      try {
        check({ [missing]: methods });
      } catch (error) {
        return (error as PkceUnsupportedError).hint;
      }
    };
    expect(hint(undefined)).toContain('--assume-pkce');
    expect(hint(['plain'])).toBeUndefined();
  });

  test('unreadable metadata does not count as silent', () => {
    expect(() => check({ [missing]: 'S256' }, true)).toThrow(DiscoveryError);
    expect(() => check({ [missing]: null }, true)).toThrow(DiscoveryError);
  });
});

describe('endpoints', () => {
  test.each([
    ['authorization_endpoint', 'javascript:alert(1)', InsecureUrlError, 'the authorization endpoint'],
    ['authorization_endpoint', 'http://as.example/authorize', InsecureUrlError, 'the authorization endpoint'],
    [
      'authorization_endpoint',
      'http://localhost:1/authorize',
      RefusedAddressError,
      'the authorization endpoint',
    ],
    ['token_endpoint', 'http://as.example/token', InsecureUrlError, 'the token endpoint'],
    ['token_endpoint', 'https://169.254.169.254/token', RefusedAddressError, 'the token endpoint'],
    [
      'registration_endpoint',
      'https://a:b@as.example/register',
      InsecureUrlError,
      'the registration endpoint',
    ],
    ['revocation_endpoint', 'file:///x', InsecureUrlError, 'the revocation endpoint'],
    ['authorization_endpoint', undefined, DiscoveryError, 'authorization_endpoint'],
    ['token_endpoint', ['https://as.example/token'], DiscoveryError, 'token_endpoint'],
    ['response_types_supported', ['token'], DiscoveryError, 'response type'],
  ])('%s: %j', (name, value, failure, said) => {
    expect(() => check({ [name]: value })).toThrow(failure);
    expect(() => check({ [name]: value })).toThrow(said);
  });

  test('ignores optional fields of the wrong type', () => {
    const odd = {
      registration_endpoint: null,
      revocation_endpoint: 1,
      scopes_supported: 'a b',
      token_endpoint_auth_methods_supported: {},
      authorization_response_iss_parameter_supported: 'true',
    };
    expect(Object.keys(check(odd))).toEqual([
      'issuer',
      'authorizationEndpoint',
      'tokenEndpoint',
      'issParameterSupported',
    ]);
    expect(check(odd).issParameterSupported).toBe(false);
  });
});

test('__proto__ in a document reaches nothing (SECURITY.md, attack 18)', () => {
  const hostile = JSON.parse(`{"__proto__":{"registration_endpoint":"https://evil.example/"},
    "constructor":{"prototype":{"polluted":1}},${JSON.stringify(document).slice(1)}`);
  const metadata = checkAuthorizationServerMetadata(hostile, {
    issuers: [issuer],
    settings: oauthDefaults,
    policy,
  });
  expect(metadata.registrationEndpoint).toBe(document.registration_endpoint);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('the default endpoints of MCP 2025-03-26 are at the origin', () => {
  expect(defaultEndpoints(new URL('https://mcp.example/a/mcp?x'))).toEqual({
    issuer: 'https://mcp.example',
    authorizationEndpoint: 'https://mcp.example/authorize',
    tokenEndpoint: 'https://mcp.example/token',
    registrationEndpoint: 'https://mcp.example/register',
    issParameterSupported: false,
  });
});

test('DPoP metadata (RFC 9728 §2, RFC 9449 §5.1)', () => {
  const resource = {
    resource: 'r',
    dpop_bound_access_tokens_required: true,
    dpop_signing_alg_values_supported: ['ES256'],
  };
  expect(readProtectedResourceMetadata(resource)).toMatchObject({ dpopRequired: true, dpopAlgs: ['ES256'] });
  for (const odd of ['true', 1, null]) {
    const change = { dpop_bound_access_tokens_required: odd, dpop_signing_alg_values_supported: odd };
    const read = readProtectedResourceMetadata({ ...resource, ...change });
    expect([read.dpopRequired, read.dpopAlgs]).toEqual([undefined, undefined]);
  }
  expect(check({ dpop_signing_alg_values_supported: ['ES384'] }).dpopAlgs).toEqual(['ES384']);
  expect(check({ dpop_signing_alg_values_supported: 'ES384' }).dpopAlgs).toBeUndefined();
});

test('protected resource metadata', () => {
  expect(
    readProtectedResourceMetadata({
      resource: 'r',
      authorization_servers: ['a', 'b'],
      scopes_supported: ['s'],
    }),
  ).toEqual({ resource: 'r', authorizationServers: ['a', 'b'], scopesSupported: ['s'] });
  expect(readProtectedResourceMetadata({ resource: 'r', scopes_supported: 's' })).toEqual({
    resource: 'r',
    authorizationServers: [],
  });
  for (const bad of [{}, { resource: 1 }, { resource: 'r', authorization_servers: 'a' }]) {
    expect(() => readProtectedResourceMetadata(bad)).toThrow(DiscoveryError);
  }
});
