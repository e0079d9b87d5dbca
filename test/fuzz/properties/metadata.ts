import assert from 'node:assert/strict';
import fc from 'fast-check';
import { discover } from '../../../src/auth/discovery/discover.ts';
import { oauthDefaults } from '../../../src/config/oauth-config.ts';
import { toldFetch } from '../../peers/net/told-http.ts';
import { property } from '../property.ts';
import { addressText, objectText, oneOfJson } from '../texts.ts';
import { expectedOr } from './failures.ts';

const ISSUER = 'https://as.example/tenant';
const SERVERS = [
  'https://mcp.example/a/mcp',
  'https://mcp.example/?q=1',
  'http://127.0.0.1:4000/mcp',
  'https://10.1.2.3/mcp',
];

const address = addressText.map((text) => JSON.stringify(text));
const own = (path: string) =>
  fc.oneof(
    { arbitrary: oneOfJson(`https://as.example${path}`), weight: 40 },
    { arbitrary: oneOfJson(`https://user:pass@as.example${path}`, `http://as.example${path}`), weight: 5 },
    { arbitrary: address, weight: 1 },
  );

const authorizationServer = objectText({
  issuer: fc.oneof(
    { arbitrary: oneOfJson(ISSUER), weight: 8 },
    { arbitrary: oneOfJson(`${ISSUER}/`, 'https://AS.example/tenant', 'https://evil.example'), weight: 1 },
  ),
  authorization_endpoint: own('/authorize'),
  token_endpoint: own('/token'),
  registration_endpoint: own('/register'),
  revocation_endpoint: own('/revoke'),
  device_authorization_endpoint: own('/device'),
  pushed_authorization_request_endpoint: own('/par'),
  require_pushed_authorization_requests: oneOfJson(true, false),
  response_types_supported: oneOfJson(['code'], ['code', 'token']),
  code_challenge_methods_supported: oneOfJson(
    ['S256'],
    ['S256'],
    ['S256'],
    ['S256'],
    ['plain', 'S256'],
    ['plain'],
  ),
  token_endpoint_auth_methods_supported: oneOfJson(['none'], ['client_secret_basic', '\r\n']),
  scopes_supported: oneOfJson(['a', 'b\r\nc']),
  authorization_response_iss_parameter_supported: oneOfJson(true, false),
});

const protectedResource = (server: string) =>
  objectText({
    resource: fc.oneof(
      { arbitrary: oneOfJson(server, new URL('/', server).href), weight: 12 },
      { arbitrary: oneOfJson('https://evil.example/a/mcp', `${server}#x`), weight: 1 },
      { arbitrary: address, weight: 1 },
    ),
    authorization_servers: fc.oneof(
      { arbitrary: oneOfJson([ISSUER], [ISSUER], [ISSUER, 'javascript:x'], []), weight: 6 },
      { arbitrary: addressText.map((text) => JSON.stringify([text])), weight: 1 },
    ),
    scopes_supported: oneOfJson(['a'], ['a\r\nX: y']),
  });

const world = fc.constantFrom(...SERVERS).chain((server) =>
  fc.record({
    server: fc.constant(server),
    resource: protectedResource(server),
    authorization: authorizationServer,
  }),
);

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** What may be asked or opened, looked at without the code that checks it. */
function assertSafe(text: string): void {
  assert.match(text, /^[\x21-\x7e]{1,2048}$/);
  const url = new URL(text);
  assert.ok(url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.includes(url.hostname)), text);
  assert.equal(url.username + url.password + url.hash, '', text);
}

/** Every text in a value, without recursion: it may be nested deeper than the stack. */
function textsIn(value: unknown): Set<unknown> {
  const texts = new Set<unknown>();
  const open = [value];
  for (let at = open.pop(); open.length > 0 || at !== undefined; at = open.pop()) {
    if (typeof at === 'string') texts.add(at);
    if (typeof at === 'object' && at !== null) for (const inner of Object.values(at)) open.push(inner);
  }
  return texts;
}

export const METADATA = [
  property(
    'metadata is refused for a reason of ours, or leads only where one may go',
    world,
    async (told) => {
      const server = new URL(told.server);
      const asked: string[] = [];
      const fetch = toldFetch(server, ({ url }) => {
        asked.push(url.href);
        const isResource = url.origin === server.origin && url.pathname.includes('oauth-protected-resource');
        return { status: 200, body: isResource ? told.resource : told.authorization };
      });
      const found = await expectedOr(() =>
        discover({ server, challenge: {}, fetch, settings: oauthDefaults }),
      );
      for (const url of asked) if (new URL(url).origin !== server.origin) assertSafe(url);
      if (found === undefined) return;

      const { issuer, metadata, resource } = found;
      const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith('Endpoint'));
      for (const [, url] of endpoints) assertSafe(String(url));
      assert.ok(metadata.tokenEndpoint && metadata.authorizationEndpoint);
      const named = textsIn(parsed(told.resource));
      // Byte for byte what the resource's document names, or what we derived ourselves where there is none.
      assert.equal(issuer, metadata.issuer);
      const isDerived = issuer === server.origin || issuer === `${server.origin}/`;
      assert.ok(isDerived || named.has(issuer), issuer);
      if (resource !== undefined) {
        assert.ok(named.has(resource), resource);
        assert.equal(new URL(resource).origin, server.origin);
      }
    },
    'dear',
  ),
];

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
