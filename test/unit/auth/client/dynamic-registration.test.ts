import { expect, test } from 'vitest';
import { registrationRequest } from '../../../../src/auth/client/dynamic-registration.ts';
import { defaultEndpoints } from '../../../../src/auth/discovery/metadata.ts';

const metadata = defaultEndpoints(new URL('https://as.example'));
const redirectUri = 'http://127.0.0.1:5000/callback';

test('registers a native, public client for the code flow', () => {
  expect(registrationRequest({ metadata, redirectUri, scope: 'a b' })).toEqual({
    client_name: 'mcp-drawbridge',
    application_type: 'native',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    scope: 'a b',
  });
  expect(registrationRequest({ metadata, redirectUri })).not.toHaveProperty('scope');
});

test.each([
  [[], 'none'],
  [['client_secret_basic', 'none'], 'none'],
  [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
  [['client_secret_post'], 'client_secret_post'],
  [['private_key_jwt'], 'none'],
])('uses a secret only where nothing else is supported: %j → %s', (supported, expected) => {
  const given = { metadata: { ...metadata, tokenEndpointAuthMethods: supported }, redirectUri };
  expect(registrationRequest(given).token_endpoint_auth_method).toBe(expected);
});
