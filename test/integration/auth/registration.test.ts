import { describe, expect, test } from 'vitest';
import { registerClient } from '../../../src/auth/client/dynamic-registration.ts';
import { NoClientError, RegistrationError } from '../../../src/auth/errors/oauth-errors.ts';
import { type Behaviour, json, redirect, reset, text } from '../../peers/net/web-origin.ts';
import { createOAuthWorld, type OAuthWorld } from '../../peers/worlds/oauth-world.ts';

const redirectUri = 'http://127.0.0.1:5000/callback';

async function register(world: OAuthWorld, behaviour: Behaviour, scope?: string) {
  world.authorization.on('/register', behaviour);
  const { metadata } = await world.discover();
  return registerClient({ fetch: world.fetch, metadata, redirectUri, scope });
}

test('sends one POST of JSON, and returns the client', async () => {
  await using world = await createOAuthWorld();
  expect(await register(world, json({ client_id: 'c', extra: [1] }, 201), 'a b')).toEqual({
    clientId: 'c',
    redirectUri,
    source: 'registered',
  });
  const posts = world.authorization.requests.entries.filter(({ method }) => method === 'POST');
  expect(posts).toHaveLength(1);
  expect(posts[0]?.headers['content-type']).toBe('application/json');
  expect(JSON.parse(posts[0]?.body ?? '')).toMatchObject({ redirect_uris: [redirectUri], scope: 'a b' });
  expect(Object.keys(posts[0]?.headers ?? {}).sort()).toEqual([
    'accept',
    'accept-encoding',
    'connection',
    'content-length',
    'content-type',
    'host',
    'user-agent',
  ]);
});

describe('tolerated responses', () => {
  test.each([
    ['200 for 201', {}, {}],
    [
      'a secret that ends',
      {
        client_secret: 's',
        client_secret_expires_at: 1_900_000_000,
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        clientSecret: 's',
        clientSecretExpiresAt: 1_900_000_000,
        tokenEndpointAuthMethod: 'client_secret_post',
      },
    ],
    ['a secret that does not', { client_secret: 's', client_secret_expires_at: 0 }, { clientSecret: 's' }],
    [
      'a time as text',
      { client_secret: 's', client_secret_expires_at: '7' },
      { clientSecret: 's', clientSecretExpiresAt: 7 },
    ],
    ['an empty secret', { client_secret: '', client_secret_expires_at: 7 }, {}],
    [
      'null everywhere',
      { client_secret: null, client_secret_expires_at: null, token_endpoint_auth_method: null },
      {},
    ],
    ['wrong types', { client_secret: {}, token_endpoint_auth_method: ['none'], redirect_uris: 'x' }, {}],
    ['a secret that no header can hold', { client_secret: 'a\r\nb' }, {}],
    ['another redirect', { redirect_uris: ['https://evil.example/'] }, {}],
  ])('%s', async (_, answer, expected) => {
    await using world = await createOAuthWorld();
    expect(await register(world, json({ client_id: 'c', ...answer }))).toEqual({
      clientId: 'c',
      redirectUri,
      source: 'registered',
      ...expected,
    });
  });

  test.each([
    {},
    { client_id: '' },
    { client_id: 7 },
    { client_id: 'a\r\nb' },
    { client_id: 'x'.repeat(5_000) },
    '[]',
    'null',
    '<p>',
  ])('refuses %j, which has no client id', async (answer) => {
    await using world = await createOAuthWorld();
    await expect(register(world, json(answer, 201))).rejects.toThrow(RegistrationError);
  });
});

describe('refusals', () => {
  test.each([401, 403, 404, 405, 410, 501])('%d: the server registers no clients', async (status) => {
    await using world = await createOAuthWorld();
    const refused = register(world, json({ error: 'access_denied' }, status));
    await expect(refused).rejects.toThrow(NoClientError);
    await expect(refused).rejects.toThrow('access_denied');
    await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('client') });
  });

  test('422 without an RFC 7591 error (GitHub): the server registers no clients', async () => {
    await using world = await createOAuthWorld();
    await expect(register(world, json({ msg: 'no' }, 422))).rejects.toThrow(NoClientError);
  });

  test('sends nothing without an endpoint', async () => {
    await using world = await createOAuthWorld();
    const metadata = world.issuerMetadata({ registration_endpoint: undefined });
    world.authorization.on('/.well-known/oauth-authorization-server', json(metadata));
    await expect(register(world, json({ client_id: 'c' }))).rejects.toThrow(NoClientError);
    expect(world.authorization.requests.count(({ method }) => method === 'POST')).toBe(0);
  });

  test.each([
    [
      400,
      { error: 'invalid_redirect_uri', error_description: 'not \u001b[31mthis\r\n' },
      'invalid_redirect_uri',
    ],
    [400, { error: 'invalid_client_metadata' }, 'invalid_client_metadata'],
    [422, { error: 'invalid_client_metadata' }, 'invalid_client_metadata'],
    [429, {}, undefined],
    [500, '<p>', undefined],
    [503, '', undefined],
  ])('%d %j: only this attempt failed', async (status, body, oauthError) => {
    await using world = await createOAuthWorld();
    const refused = register(world, json(body, status));
    await expect(refused).rejects.toThrow(RegistrationError);
    await expect(refused).rejects.toMatchObject({ code: 'registration', status, oauthError });
    await expect(refused).rejects.toThrow(/^[^\p{Cc}\p{Cf}]*$/u);
  });

  test('reports a broken connection', async () => {
    await using world = await createOAuthWorld();
    await expect(register(world, reset)).rejects.toThrow(RegistrationError);
  });

  test('refuses a decompression bomb', async () => {
    await using world = await createOAuthWorld();
    const refused = register(world, text('x'.repeat(300 * 1024), 201));
    await expect(refused).rejects.toMatchObject({ code: 'registration', cause: { code: 'too_large' } });
  });

  test.each([301, 302, 303, 307, 308])(
    'does not follow a redirect with %d (SECURITY.md, attack 13)',
    async (status) => {
      await using world = await createOAuthWorld();
      world.stranger.on('/register', json({ client_id: 'evil' }, 201));
      for (const target of [`${world.stranger.origin}/register`, '/elsewhere']) {
        await expect(register(world, redirect(target, status))).rejects.toThrow(RegistrationError);
      }
      expect(world.stranger.connections()).toBe(0);
      expect(world.authorization.requests.count(({ path }) => path === '/elsewhere')).toBe(0);
    },
  );
});
