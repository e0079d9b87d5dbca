import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { oauthSettingsShape } from '../../../src/protocol/oauth-settings.ts';

const schema = z.object(oauthSettingsShape);
const least = {
  profile: 'default',
  grant: 'authorization_code',
  noResource: false,
  tenantIssuer: false,
  assumePkce: false,
  scopeOnTokenRequests: false,
  audienceFromResource: false,
  useIdToken: false,
  dpop: 'auto',
  authorizeParams: [],
  callback: { host: '127.0.0.1', path: '/callback' },
};

describe('the settings read by a sign-in process', () => {
  test.each([
    {},
    { grant: 'device_code' },
    { grant: 'client_credentials' },
    { grant: 'jwt-bearer' },
    { grant: 'enterprise' },
    { dpop: 'always' },
    { dpop: 'never' },
    { client: { clientId: 'id' } },
    { client: { clientId: 'id', clientSecret: 's', signingKey: 'k', signingAlg: 'ES256' } },
    { authorizeParams: [['prompt', 'login']] },
    { callback: { host: 'localhost', port: 65_535, path: '/' } },
    {
      scope: 'a b',
      resource: 'https://a.example',
      clientMetadataUrl: 'https://b.example',
      issuer: 'https://as.example',
    },
  ])('whole: %j', (change) => {
    const settings = { ...least, ...change };
    expect(schema.parse(settings)).toEqual(settings);
  });

  test.each([
    { profile: 1 },
    { grant: 'password' },
    { grant: '' },
    { dpop: 'sometimes' },
    { dpop: '' },
    { client: {} },
    { authorizeParams: [['prompt']] },
    { authorizeParams: [['prompt', 1]] },
    { callback: { host: '', path: '/' } },
    { callback: { host: 'localhost', path: 'callback/' } },
    { callback: { host: 'localhost', path: '/', port: 0 } },
    { callback: { host: 'localhost', path: '/', port: 65_536 } },
  ])('broken: %j', (change) => {
    expect(schema.safeParse({ ...least, ...change }).success).toBe(false);
  });
});
