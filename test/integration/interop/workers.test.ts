import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../peers/net/listening.ts';
import { Vendor } from '../../peers/vendors/vendor.ts';
import { WorkersServer, type WorkersServerOptions } from '../../peers/vendors/workers-server.ts';
import { BridgeWorld, type BridgeWorldOptions } from '../../peers/worlds/bridge-world.ts';

/** Cloudflare's authorization server, resource server and their storage rules, as they are: someone else's reading of the specifications. */
interface World extends AsyncDisposable {
  readonly server: WorkersServer;
  readonly person: BridgeWorld;
}

async function world(
  options: WorkersServerOptions = {},
  args: readonly string[] = [],
  how: BridgeWorldOptions = {},
): Promise<World> {
  const server = await WorkersServer.start(options);
  const person = await BridgeWorld.to(server.url, args, how);
  const close = async () => {
    await person[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  return { server, person, [Symbol.asyncDispose]: close };
}

const call = ({ person }: World, id: string, name = 'echo') =>
  person.bridge.request(id, 'tools/call', { name, arguments: name === 'echo' ? { value: id } : {} });

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-workers-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const served = (text: string) => ({ json: { result: { content: [{ text }] } } });
const grants = ({ server }: World) => server.tokenForms.map((form) => form.get('grant_type') ?? 'revocation');

/** A key, and what the world may know of it. */
function keyPair(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } };
}

describe('a person', () => {
  it('signs in on its page, is served, refreshed with rotation, and signed out for good', async () => {
    await using w = await world({ asks: true }, [], { browse: { answer: 'allow' } });
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    const query = new URL(w.person.opened[0] ?? '').searchParams;
    expect(query.get('resource')).toBe(w.server.url);
    expect(query.get('scope')).toBe('mcp:read');
    const first = await w.person.record();
    for (const id of ['a', 'b']) {
      w.server.endAccessTokens();
      expect(await call(w, id)).toMatchObject(served(id));
      expect(await call(w, `${id} again`)).toMatchObject(served(`${id} again`));
    }
    expect(grants(w)).toEqual(['authorization_code', 'refresh_token', 'refresh_token']);
    const record = await w.person.record();
    expect(record?.tokens?.refreshToken).not.toBe(first?.tokens?.refreshToken);

    const { accessToken = '', refreshToken = '' } = record?.tokens ?? {};
    expect(await w.person.logout()).toMatchObject({ outcome: 'done' });
    const headers = { authorization: `Bearer ${accessToken}` };
    expect((await fetch(w.server.url, { method: 'POST', headers, body: '{}' })).status).toBe(401);
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: record?.client?.clientId ?? '',
    });
    const answer = await fetch(`${w.server.issuer}/oauth/token`, { method: 'POST', body });
    expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('declines on its page: the page says so, and nothing is exchanged', async () => {
    await using w = await world({ asks: true }, [], { browse: { answer: 'deny' } });
    expect(JSON.stringify(await w.person.tools())).toContain('declined');
    expect(grants(w)).toEqual([]);
  });

  it.each([
    ['any port', async () => []],
    ['a fixed port', async () => ['--callback-port', String(await freePort())]],
  ])('is asked for more where a call wants more, back on %s, and the call is served', async (_name, args) => {
    await using w = await world({}, await args());
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    expect(await call(w, 'more', 'write')).toMatchObject(served('written'));
    const asked = w.person.opened.map((address) => new URL(address).searchParams.get('scope'));
    expect(asked).toEqual(['mcp:read', 'mcp:read mcp:write']);
    // The page that the browser was left on does not keep its port from the next sign-in.
    expect(w.server.to('/oauth/register')).toHaveLength(1);
  });

  it('is not asked again when the response to a refresh is lost: the server accepts the last token once more', async () => {
    await using w = await world();
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    w.server.endAccessTokens();
    w.server.loseAnswers('/oauth/token', 1);
    // Whatever becomes of this one: it says so, and nothing is lost.
    await call(w, 'lost');
    await expect.poll(() => call(w, `later ${Math.random()}`)).toMatchObject({ json: { result: {} } });
    expect(new Set(w.server.tokenForms.slice(1).map((form) => form.get('refresh_token'))).size).toBe(1);
    expect(w.person.opened).toHaveLength(1);
  });

  it('whose registration was forgotten: detected before the browser opens, and registered once more', async () => {
    await using w = await world();
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    w.server.endGrants();
    w.server.forgetClients();
    expect(await call(w, 'again')).toMatchObject(served('again'));
    expect(w.server.to('/oauth/register')).toHaveLength(2);
    expect(w.person.opened).toHaveLength(2);
  });
});

describe('a Client ID Metadata Document', () => {
  const url = 'https://client.example/drawbridge.json';
  const document = {
    client_id: url,
    client_name: 'drawbridge',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  };

  it('is fetched by the server, and no client is registered', async () => {
    await using w = await world({ web: { [url]: document } }, ['--client-metadata-url', url]);
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    w.server.endAccessTokens();
    expect(await call(w, 'again')).toMatchObject(served('again'));
    expect(w.server.tokenForms.map((form) => form.get('client_id'))).toEqual([url, url]);
    expect(w.server.to('/oauth/register')).toEqual([]);
  });

  it('with a key: signs every token request, and the server verifies it', async () => {
    const { privateKey, jwk } = keyPair('mine');
    const web = {
      [url]: { ...document, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
    };
    const args = ['--client-metadata-url', url, '--client-key', join(folder, 'client.pem')];
    await writeFile(join(folder, 'client.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await using w = await world({ web, registration: false }, args);
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    w.server.endAccessTokens();
    expect(await call(w, 'again')).toMatchObject(served('again'));
    expect(await w.person.logout()).toMatchObject({ outcome: 'done' });
    const assertions = w.server.tokenForms.map((form) => form.get('client_assertion'));
    expect(assertions).toHaveLength(4);
    expect(new Set(assertions).size).toBe(4);
  });

  it('that the server cannot read: an error, and no other client is tried', async () => {
    await using w = await world({ web: { [url]: { client_id: 'another' } } }, [
      '--client-metadata-url',
      url,
      '--auth-timeout',
      '1',
    ]);
    expect(await w.person.tools()).toMatchObject({ code: expect.any(Number) });
    expect(w.server.tokenForms).toEqual([]);
    expect(w.server.to('/oauth/register')).toEqual([]);
  });
});

describe('enterprise-managed authorization', () => {
  const jwksUri = 'https://idp.example/jwks.json';
  const { privateKey, jwk } = keyPair('idp');
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

  /** What an identity provider issues for an ID token: draft-ietf-oauth-identity-assertion-authz-grant §3.3. */
  function idJag(form: URLSearchParams, clientId: string): string {
    const iat = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'https://idp.example',
      sub: 'person',
      aud: form.get('audience'),
      client_id: clientId,
      resource: form.get('resource'),
      scope: form.get('scope'),
      jti: randomUUID(),
      iat,
      exp: iat + 300,
    };
    const input = `${encode({ alg: 'ES256', kid: 'idp', typ: 'oauth-id-jag+jwt' })}.${encode(claims)}`;
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
  }

  it("the identity provider's signed grant is verified and accepted, a new one for each token", async () => {
    await using server = await WorkersServer.start({
      web: { [jwksUri]: { keys: [jwk] } },
      enterpriseManagedAuthorization: {
        trustedIssuers: async ({ iss }) => ({ issuer: iss, jwksUri, algorithms: ['ES256'] }),
        mapClaims: async ({ claims, requestedScope }) => ({
          userId: claims.sub,
          scope: requestedScope,
          props: {},
        }),
      },
    });
    const client = await server.registerConfidential();
    await using idp = await Vendor.start({
      token: (form) => ({
        body: {
          issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
          token_type: 'N_A',
          access_token: idJag(form, client.client_id),
          expires_in: 300,
        },
      }),
    });
    const idToken = join(folder, 'id-token');
    await writeFile(idToken, `${encode({})}.${encode({ sub: 'person' })}.c2ln`);
    const args = [
      '--grant',
      'enterprise',
      // It may begin with a dash.
      `--client-id=${client.client_id}`,
      '--client-secret-env',
      'APP_SECRET',
      '--id-token-file',
      idToken,
      '--idp-client-id',
      'at-idp',
      '--idp-token-endpoint',
      `${idp.origin}/token`,
    ];
    const env = { APP_SECRET: client.client_secret };
    await using person = await BridgeWorld.to(server.url, args, { env });
    expect(await person.tools()).toEqual(['echo', 'write']);
    server.endAccessTokens();
    const answer = await person.bridge.request(1, 'tools/call', { name: 'echo', arguments: { value: 'x' } });
    expect(answer).toMatchObject(served('x'));
    expect(server.tokenForms).toHaveLength(2);
    expect(idp.to('/token')).toHaveLength(2);
    expect(person.opened).toEqual([]);
  });
});
