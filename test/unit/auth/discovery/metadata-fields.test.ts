import { describe, expect, test } from 'vitest';
import {
  checkAuthorizationServerMetadata,
  readProtectedResourceMetadata,
} from '../../../../src/auth/discovery/metadata.ts';
import { createAddressGuard } from '../../../../src/auth/http/address-policy.ts';
import { oauthDefaults } from '../../../../src/config/oauth-config.ts';

const issuer = 'https://as.example';
const document = {
  issuer,
  authorization_endpoint: 'https://as.example/authorize',
  token_endpoint: 'https://as.example/token',
  code_challenge_methods_supported: ['S256'],
};
const server = new URL('https://mcp.example/mcp');
const policy = { server, allowHttp: false, addresses: createAddressGuard(server) };

function check(change: object = {}, flow?: 'redirect' | 'direct') {
  return checkAuthorizationServerMetadata(
    { ...document, ...change },
    { issuers: [issuer], settings: oauthDefaults, policy, flow },
  );
}

const plain = {
  issuer,
  authorizationEndpoint: 'https://as.example/authorize',
  tokenEndpoint: 'https://as.example/token',
  issParameterSupported: false,
};
const pushed = { pushed_authorization_request_endpoint: 'https://as.example/par' };

describe('optional fields of the authorization server', () => {
  test.each<[string, object, object]>([
    ['none', {}, {}],
    [
      'a device authorization endpoint',
      { device_authorization_endpoint: 'https://as.example/device' },
      { deviceAuthorizationEndpoint: 'https://as.example/device' },
    ],
    [
      'a pushed authorization request endpoint that is required',
      { ...pushed, require_pushed_authorization_requests: true },
      { pushedAuthorizationRequestEndpoint: 'https://as.example/par' },
    ],
    ['one that is not', pushed, {}],
    ['one that is said not to be', { ...pushed, require_pushed_authorization_requests: false }, {}],
    ['a requirement without one', { require_pushed_authorization_requests: true }, {}],
    [
      'client id metadata documents',
      { client_id_metadata_document_supported: true },
      { takesMetadataDocuments: true },
    ],
    ['none of them', { client_id_metadata_document_supported: false }, {}],
    [
      'methods of authentication by name, and what is no name',
      { token_endpoint_auth_methods_supported: ['none', 'Basic', ' none', 'none ', 'a'.repeat(65), ''] },
      { tokenEndpointAuthMethods: ['none'] },
    ],
    [
      'the longest name',
      { token_endpoint_auth_methods_supported: ['a'.repeat(64)] },
      { tokenEndpointAuthMethods: ['a'.repeat(64)] },
    ],
    [
      'more methods than there are',
      { token_endpoint_auth_methods_supported: Array.from({ length: 33 }, (_, n) => `m${n}`) },
      { tokenEndpointAuthMethods: Array.from({ length: 32 }, (_, n) => `m${n}`) },
    ],
    ['no methods', { token_endpoint_auth_methods_supported: 'none' }, {}],
    ['algorithms for proofs', { dpop_signing_alg_values_supported: ['ES256'] }, { dpopAlgs: ['ES256'] }],
    ['scopes', { scopes_supported: ['a'] }, { scopesSupported: ['a'] }],
    [
      'iss in its responses',
      { authorization_response_iss_parameter_supported: true },
      { issParameterSupported: true },
    ],
  ])('%s', (_, given, expected) => {
    expect(check(given)).toStrictEqual({ ...plain, ...expected });
  });

  test.each([
    ['the device authorization endpoint', { device_authorization_endpoint: 'http://as.example/device' }],
    [
      'the pushed authorization request endpoint',
      {
        pushed_authorization_request_endpoint: 'http://as.example/par',
        require_pushed_authorization_requests: true,
      },
    ],
    ['the registration endpoint', { registration_endpoint: 'http://as.example/register' }],
    ['the revocation endpoint', { revocation_endpoint: 'http://as.example/revoke' }],
    ['the authorization endpoint', { authorization_endpoint: 'http://as.example/authorize' }],
    ['the token endpoint', { token_endpoint: 'http://as.example/token' }],
  ])('%s is named where its address is refused', (name, given) => {
    expect(() => check(given)).toThrow(name);
  });
});

describe('flows without a redirect', () => {
  test('require neither an authorization endpoint nor PKCE', () => {
    const { authorization_endpoint, code_challenge_methods_supported, ...rest } = document;
    const expectation = { issuers: [issuer], settings: oauthDefaults, policy };
    expect(checkAuthorizationServerMetadata(rest, { ...expectation, flow: 'direct' })).toStrictEqual({
      issuer,
      tokenEndpoint: 'https://as.example/token',
      issParameterSupported: false,
    });
    expect(() => checkAuthorizationServerMetadata(rest, expectation)).toThrow('authorization_endpoint');
  });
});

describe('the resource', () => {
  const resource = 'https://mcp.example/mcp';
  test.each<[object, object]>([
    [{}, { authorizationServers: [] }],
    [{ authorization_servers: [issuer] }, { authorizationServers: [issuer] }],
    [{ scopes_supported: ['a'] }, { authorizationServers: [], scopesSupported: ['a'] }],
    [{ scopes_supported: 'a' }, { authorizationServers: [] }],
    [{ dpop_bound_access_tokens_required: true }, { authorizationServers: [], dpopRequired: true }],
    [{ dpop_bound_access_tokens_required: false }, { authorizationServers: [] }],
    [{ dpop_bound_access_tokens_required: 'yes' }, { authorizationServers: [] }],
    [{ dpop_signing_alg_values_supported: ['x'] }, { authorizationServers: [], dpopAlgs: ['x'] }],
  ])('%j', (given, expected) => {
    expect(readProtectedResourceMetadata({ resource, ...given })).toStrictEqual({ resource, ...expected });
  });

  test.each<[unknown, string]>([
    [
      { resource, authorization_servers: [7] },
      'in the protected resource metadata, "authorization_servers.0"',
    ],
    [{ resource: 7 }, '"resource"'],
    [null, '""'],
  ])('%j is refused, and the field is named', (given, field) => {
    expect(() => readProtectedResourceMetadata(given)).toThrow(field);
  });
});
