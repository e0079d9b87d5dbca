import { exchangeAuthorization, refreshAuthorization } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import {
  CONFIDENTIAL,
  exchangeAt,
  PUBLIC,
  REFRESH_TOKEN,
  RESOURCE,
  refreshAt,
  TOKENS,
} from '../../peers/authorization-servers/token-requests.ts';
import { json } from '../../peers/net/web-origin.ts';
import { createOAuthWorld, type OAuthWorld } from '../../peers/worlds/oauth-world.ts';

describe('the request', () => {
  test('refreshes', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on('/token', json({ ...TOKENS, refresh_token: 'next' }));
    expect(await refreshAt(world, { scope: 'a b' })).toEqual({
      accessToken: 'access',
      tokenType: 'Bearer',
      expiresInSeconds: 60,
      refreshToken: 'next',
    });
    const [request, ...others] = world.authorization.requests.entries;
    expect(others).toEqual([]);
    expect(request?.method).toBe('POST');
    expect(request?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: REFRESH_TOKEN,
      scope: 'a b',
      resource: RESOURCE,
      client_id: 'client',
    });
  });

  test('sends resource and scope only where they are set, the resource byte for byte', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on('/token', json(TOKENS));
    await refreshAt(world, { resource: undefined });
    await refreshAt(world, { resource: 'HTTPS://MCP.example:443/a/../b?x=%41' });
    const [without, exact] = world.authorization.requests.entries.map(
      ({ body }) => new URLSearchParams(body),
    );
    expect(without?.has('resource')).toBe(false);
    expect(without?.has('scope')).toBe(false);
    expect(exact?.get('resource')).toBe('HTTPS://MCP.example:443/a/../b?x=%41');
  });

  /** What the SDK would have sent to the same place. */
  async function theirs(send: (fetchFn: typeof fetch) => Promise<unknown>) {
    let sent: { body: string; authorization: string | null } | undefined;
    await send(async (_, init) => {
      sent = { body: String(init?.body), authorization: new Headers(init?.headers).get('authorization') };
      return Response.json(TOKENS);
    });
    return { parameters: sorted(sent?.body ?? ''), authorization: sent?.authorization ?? undefined };
  }

  function ours(world: OAuthWorld) {
    const request = world.authorization.requests.entries.at(-1);
    return { parameters: sorted(request?.body ?? ''), authorization: request?.headers.authorization };
  }

  const sorted = (body: string) => [...new URLSearchParams(body)].sort();

  test.each([
    ['public', PUBLIC, undefined],
    ['secret, nothing said', CONFIDENTIAL, undefined],
    ['secret, post', CONFIDENTIAL, ['client_secret_post']],
    ['secret, basic', CONFIDENTIAL, ['client_secret_basic', 'none']],
  ])("is the same as the SDK's: %s", async (_, client, methods) => {
    await using world = await createOAuthWorld();
    world.authorization.on('/token', json(TOKENS));
    const metadata = {
      issuer: world.issuer,
      authorization_endpoint: `${world.issuer}/authorize`,
      token_endpoint: `${world.issuer}/token`,
      response_types_supported: ['code'],
      ...(methods === undefined ? {} : { token_endpoint_auth_methods_supported: methods }),
    };
    const clientInformation = {
      client_id: client.clientId,
      ...(client.clientSecret === undefined ? {} : { client_secret: client.clientSecret }),
    };
    const common = { metadata, clientInformation, resource: RESOURCE };

    await refreshAt(world, { client, tokenEndpointAuthMethods: methods });
    expect(ours(world)).toEqual(
      await theirs((fetchFn) =>
        refreshAuthorization(world.issuer, { ...common, refreshToken: REFRESH_TOKEN, fetchFn }),
      ),
    );
    await exchangeAt(world, client, methods);
    expect(ours(world)).toEqual(
      await theirs((fetchFn) =>
        exchangeAuthorization(world.issuer, {
          ...common,
          authorizationCode: 'code-canary',
          codeVerifier: 'verifier-canary',
          redirectUri: 'http://127.0.0.1:5000/callback',
          fetchFn,
        }),
      ),
    );
  });
});
