import { describe, expect, test } from 'vitest';
import {
  DiscoveryError,
  InsecureUrlError,
  IssuerMismatchError,
  PkceUnsupportedError,
  ResourceMismatchError,
} from '../../../src/auth/errors/oauth-errors.ts';
import { json, text, type WebOrigin } from '../../peers/net/web-origin.ts';
import { createOAuthWorld, type OAuthWorld } from '../../peers/worlds/oauth-world.ts';

const RESOURCE = '/.well-known/oauth-protected-resource';
const SERVER = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';

const paths = ({ requests }: WebOrigin) => requests.entries.map(({ path }) => path);

/** What a refused discovery leaves behind: nothing was sent anywhere but questions. */
function expectOnlyQuestions(world: OAuthWorld): void {
  for (const origin of [world.resource, world.authorization, world.stranger]) {
    for (const { method, body } of origin.requests.entries) expect([method, body]).toEqual(['GET', '']);
  }
  expect(world.stranger.connections()).toBe(0);
}

describe('where metadata is fetched', () => {
  test('fetches only the address in the challenge', async () => {
    await using world = await createOAuthWorld();
    world.resource.on('/meta', json(world.resourceMetadata({ scopes_supported: ['a', 'b'] })));
    const challenge = { resourceMetadata: `${world.resource.origin}/meta` };
    expect(await world.discover({ challenge })).toEqual({
      issuer: world.issuer,
      resource: world.server.href,
      scopesSupported: ['a', 'b'],
      metadata: {
        issuer: world.issuer,
        authorizationEndpoint: `${world.issuer}/authorize`,
        tokenEndpoint: `${world.issuer}/token`,
        registrationEndpoint: `${world.issuer}/register`,
        issParameterSupported: false,
      },
    });
    expect(paths(world.resource)).toEqual(['/meta']);
    expect(paths(world.authorization)).toEqual([SERVER]);
  });

  test('tries the path of the server, then the root', async () => {
    await using world = await createOAuthWorld({ serverPath: '/a/mcp' });
    await world.discover();
    world.resource.on(`${RESOURCE}/a/mcp`, text('gone', 404));
    world.resource.on(RESOURCE, json(world.resourceMetadata({ resource: world.resource.origin })));
    expect((await world.discover()).resource).toBe(world.resource.origin);
    expect(paths(world.resource)).toEqual([`${RESOURCE}/a/mcp`, `${RESOURCE}/a/mcp`, RESOURCE]);
  });

  test.each(['/.well-known/relative', 'http://127.0.0.1:1:1/', ''])(
    'treats a challenge without an address, %j, as if there were none',
    async (resourceMetadata) => {
      await using world = await createOAuthWorld();
      expect((await world.discover({ challenge: { resourceMetadata } })).issuer).toBe(world.issuer);
    },
  );

  test('looks further when the address in the challenge has nothing', async () => {
    await using world = await createOAuthWorld();
    const challenge = { resourceMetadata: `${world.resource.origin}/nothing` };
    expect((await world.discover({ challenge })).issuer).toBe(world.issuer);
    expect(paths(world.resource)).toEqual(['/nothing', `${RESOURCE}/mcp`]);
  });

  test.each([
    ['RFC 8414, path inserted', `${SERVER}/t`, [`${SERVER}/t`]],
    ['OpenID Connect, path inserted', `${OPENID}/t`, [`${SERVER}/t`, `${OPENID}/t`]],
    ['OpenID Connect, path in front', `/t${OPENID}`, [`${SERVER}/t`, `${OPENID}/t`, `/t${OPENID}`]],
  ])('%s', async (_, path, asked) => {
    await using world = await createOAuthWorld({ issuerPath: '/t' });
    world.authorization.on(`${SERVER}/t`, text('no', 404));
    world.authorization.on(path, json(world.issuerMetadata()));
    expect((await world.discover()).issuer).toBe(world.issuer);
    expect(paths(world.authorization)).toEqual(asked);
  });

  test('skips a document for another issuer and finds the right one', async () => {
    await using world = await createOAuthWorld({ issuerPath: '/t' });
    world.authorization.on(`${SERVER}/t`, json(world.issuerMetadata({ issuer: world.authorization.origin })));
    world.authorization.on(`/t${OPENID}`, json(world.issuerMetadata()));
    expect((await world.discover()).issuer).toBe(world.issuer);
  });

  test('uses the first of several authorization servers', async () => {
    await using world = await createOAuthWorld();
    const servers = [world.issuer, world.stranger.origin];
    world.resource.on(`${RESOURCE}/mcp`, json(world.resourceMetadata({ authorization_servers: servers })));
    expect((await world.discover()).issuer).toBe(world.issuer);
    expect(world.stranger.connections()).toBe(0);
  });

  test("sends the resource set by the user, and still checks the metadata's resource", async () => {
    await using world = await createOAuthWorld();
    expect((await world.discover({ settings: { resource: 'api://mine' } })).resource).toBe('api://mine');
    world.resource.on(`${RESOURCE}/mcp`, json(world.resourceMetadata({ resource: world.stranger.origin })));
    await expect(world.discover({ settings: { resource: world.server.href } })).rejects.toThrow(
      ResourceMismatchError,
    );
  });
});

describe('MCP 2025-03-26: the server is its own authorization server', () => {
  async function oldServer() {
    const world = await createOAuthWorld();
    world.resource.on(`${RESOURCE}/mcp`, text('no', 404));
    return world;
  }

  test.each(['', '/'])('finds metadata at its origin, written with %j at the end', async (end) => {
    await using world = await oldServer();
    const issuer = `${world.resource.origin}${end}`;
    world.resource.on(SERVER, json(world.issuerMetadata({ issuer })));
    expect(await world.discover()).toMatchObject({ issuer, resource: undefined });
    expect(paths(world.resource)).toEqual([`${RESOURCE}/mcp`, RESOURCE, SERVER]);
  });

  test('uses the default endpoints when there is no metadata at all', async () => {
    await using world = await oldServer();
    const { origin } = world.resource;
    expect(await world.discover()).toEqual({
      issuer: origin,
      resource: undefined,
      metadata: {
        issuer: origin,
        authorizationEndpoint: `${origin}/authorize`,
        tokenEndpoint: `${origin}/token`,
        registrationEndpoint: `${origin}/register`,
        issParameterSupported: false,
      },
    });
  });

  test('does not take a page served for every path for metadata', async () => {
    await using world = await oldServer();
    for (const path of [`${RESOURCE}/mcp`, RESOURCE, SERVER, OPENID]) {
      world.resource.on(path, text('<!doctype html><title>App</title>'));
    }
    expect((await world.discover()).metadata.tokenEndpoint).toBe(`${world.resource.origin}/token`);
  });

  test('does not look elsewhere when a document is cut off', async () => {
    await using world = await createOAuthWorld();
    const whole = JSON.stringify(world.resourceMetadata());
    world.resource.on(`${RESOURCE}/mcp`, text(whole.slice(0, -5)));
    await expect(world.discover()).rejects.toThrow('is not JSON');
    expectOnlyQuestions(world);
  });

  test("does not use the default endpoints because of another issuer's metadata", async () => {
    await using world = await oldServer();
    world.resource.on(SERVER, json(world.issuerMetadata({ issuer: world.stranger.origin })));
    await expect(world.discover()).rejects.toThrow(IssuerMismatchError);
    expectOnlyQuestions(world);
  });

  test.each([500, 503, 429, 502])(
    'treats a server that answers %d as failing, not as an old one',
    async (status) => {
      await using world = await oldServer();
      world.resource.on(`${RESOURCE}/mcp`, text('sorry', status));
      await expect(world.discover()).rejects.toThrow(new RegExp(`answered with ${status}`));
      expect(paths(world.resource)).not.toContain(SERVER);
    },
  );

  test('skips a longer path that a gateway answers with 502', async () => {
    await using world = await oldServer();
    world.resource.on(`${RESOURCE}/mcp`, text('bad gateway', 502));
    world.resource.on(RESOURCE, json(world.resourceMetadata()));
    expect((await world.discover()).issuer).toBe(world.issuer);
  });
});

test('refuses an authorization server that was named but has no metadata', async () => {
  await using world = await createOAuthWorld();
  world.authorization.on(SERVER, text('no', 404));
  await expect(world.discover()).rejects.toThrow(DiscoveryError);
  expectOnlyQuestions(world);
});

describe('an unexpected issuer (SECURITY.md, attack 6)', () => {
  test.each([
    ['a slash', (issuer: string) => `${issuer}/`],
    ['the case', (issuer: string) => issuer.replace('http', 'HTTP')],
    ['the host in another spelling', (issuer: string) => issuer.replace('127.0.0.1', 'localhost')],
    ['the scheme', (issuer: string) => issuer.replace('http', 'https')],
    ['a port', (issuer: string) => issuer.replace(/:\d+$/, ':1')],
    ['somebody else', () => 'https://evil.example'],
  ])('%s', async (_, change) => {
    await using world = await createOAuthWorld();
    world.authorization.on(SERVER, json(world.issuerMetadata({ issuer: change(world.issuer) })));
    await expect(world.discover()).rejects.toThrow(IssuerMismatchError);
    expectOnlyQuestions(world);
  });

  test('accepts an issuer whose slash is in the resource metadata', async () => {
    await using world = await createOAuthWorld();
    const named = { authorization_servers: [`${world.issuer}/`] };
    world.resource.on(`${RESOURCE}/mcp`, json(world.resourceMetadata(named)));
    await expect(world.discover()).rejects.toThrow(IssuerMismatchError);
    expectOnlyQuestions(world);
  });
});

describe('metadata for another resource (SECURITY.md, attack 8)', () => {
  test.each([
    ['another origin', (world: OAuthWorld) => `${world.stranger.origin}/mcp`],
    ['another path', (world: OAuthWorld) => `${world.resource.origin}/other`],
    ['a path that begins alike', (world: OAuthWorld) => `${world.resource.origin}/mc`],
  ])('%s: sends nothing to the authorization server', async (_, resource) => {
    await using world = await createOAuthWorld();
    world.resource.on(`${RESOURCE}/mcp`, json(world.resourceMetadata({ resource: resource(world) })));
    await expect(world.discover()).rejects.toThrow(ResourceMismatchError);
    expect(world.authorization.connections()).toBe(0);
    expectOnlyQuestions(world);
  });
});

describe('PKCE stripped from the metadata (SECURITY.md, attack 10)', () => {
  test.each([
    ['plain only', ['plain'], false],
    ['plain only, and the user assumes', ['plain'], true],
    ['silent', undefined, false],
  ])('refuses metadata: %s', async (_, methods, assumePkce) => {
    await using world = await createOAuthWorld();
    const metadata = world.issuerMetadata({ code_challenge_methods_supported: methods });
    world.authorization.on(SERVER, json(metadata));
    await expect(world.discover({ settings: { assumePkce } })).rejects.toThrow(PkceUnsupportedError);
    expectOnlyQuestions(world);
  });

  test('goes on when the metadata is silent and --assume-pkce is given', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on(
      SERVER,
      json(world.issuerMetadata({ code_challenge_methods_supported: undefined })),
    );
    expect((await world.discover({ settings: { assumePkce: true } })).issuer).toBe(world.issuer);
  });
});

describe('addresses that must not be used (SECURITY.md, attacks 1, 3, 12)', () => {
  const addresses = [
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:application/json,{}',
    '--help',
    'http://as.example',
    'https://user:pass@as.example',
    'ftp://as.example',
  ];
  test.each(addresses)('refuses an authorization server at %s', async (address) => {
    await using world = await createOAuthWorld();
    world.resource.on(`${RESOURCE}/mcp`, json(world.resourceMetadata({ authorization_servers: [address] })));
    const refused = world.discover();
    await expect(refused).rejects.toThrow(InsecureUrlError);
    await expect(refused).rejects.toThrow('the authorization server "');
    expectOnlyQuestions(world);
  });

  test.each(addresses)('refuses the authorization endpoint %s', async (address) => {
    await using world = await createOAuthWorld();
    world.authorization.on(SERVER, json(world.issuerMetadata({ authorization_endpoint: address })));
    await expect(world.discover()).rejects.toThrow(InsecureUrlError);
    expectOnlyQuestions(world);
  });

  test.each(['http://as.example/m', 'javascript:x', 'https://a:b@as.example/m'])(
    'refuses a challenge that names %s',
    async (resourceMetadata) => {
      await using world = await createOAuthWorld();
      await expect(world.discover({ challenge: { resourceMetadata } })).rejects.toThrow(InsecureUrlError);
      expect(world.resource.connections()).toBe(0);
    },
  );
});
