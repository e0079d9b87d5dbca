import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientMetadata } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CredentialRecord } from '../../../src/store/record/record.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from '../../peers/authorization-servers/authorization-server.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { type PeerMcpServer, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { fastClock } from '../../peers/net/fast-clock.ts';
import { BridgeWorld, type BridgeWorldOptions } from '../../peers/worlds/bridge-world.ts';

/** What `oidc-provider` does as itself, behind a protected server of the SDK's: nothing here is an imitation. */
interface World extends AsyncDisposable {
  readonly authority: AuthorizationServer;
  readonly server: PeerMcpServer;
  readonly person: BridgeWorld;
}

async function world(
  options: AuthorizationServerOptions,
  args: readonly string[] = [],
  how: BridgeWorldOptions = {},
): Promise<World> {
  const authority = await startAuthorizationServer(options);
  const server = await startMcpServer({ authority, scopesSupported: ['mcp:tools'], json: true });
  const person = await BridgeWorld.to(server.url, args, how);
  const close = async () => {
    await person[Symbol.asyncDispose]();
    await server.close();
    await authority.close();
  };
  return { authority, server, person, [Symbol.asyncDispose]: close };
}

const echo = { name: 'echo', arguments: { value: 'hello' } };
const forms = ({ authority }: World, path: string) =>
  authority.requests.entries
    .filter((request) => request.path === path && request.method === 'POST')
    .map(({ body }) => new URLSearchParams(body));

/** The access tokens end, the login does not. */
async function lapse({ authority, person }: World): Promise<void> {
  authority.tokens.revokeAll();
  const { result } = (await person.bridge.request('lapsed', 'tools/call', echo)).json;
  expect(JSON.stringify(result.content)).toContain('hello');
}

/** What is left of the record's tokens at the server: by the endpoint's own word, and by use. */
async function stateAtServer({ authority, server }: World, record: CredentialRecord | undefined) {
  const { accessToken = '', refreshToken = '' } = record?.tokens ?? {};
  const client_id = authority.tokens.newest?.clientId ?? '';
  const ask = async (path: string, form: Record<string, string>) => {
    const body = new URLSearchParams({ ...form, client_id });
    return (await fetch(`${authority.issuer}${path}`, { method: 'POST', body })).json();
  };
  const use = await fetch(server.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}` },
  });
  return {
    access: await ask('/token/introspection', { token: accessToken }),
    refresh: await ask('/token/introspection', { token: refreshToken }),
    use: use.status,
    redeem: () => ask('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }),
  };
}

describe('device flow (RFC 8628)', () => {
  const SPEED = 20;
  const device = () =>
    world({ extras: { deviceFlow: true } }, ['--grant', 'device_code'], { clock: fastClock(SPEED) });

  /** The host is shown where to go and what to enter. */
  async function shown({ bridge }: BridgeWorld): Promise<{ address: string; code: string }> {
    const host = { protocolVersion: '2025-11-25', capabilities: { elicitation: { url: {} } } };
    bridge.send({
      jsonrpc: '2.0',
      id: 'init',
      method: 'initialize',
      params: { ...host, clientInfo: { name: 'host', version: '1' } },
    });
    await bridge.answer('init');
    bridge.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    bridge.send({ jsonrpc: '2.0', id: 'list', method: 'tools/list' });
    const { json } = await bridge.received.waitFor(({ json }) => json.method === 'elicitation/create');
    const code = /[A-Z]{4}-[A-Z]{4}/.exec(json.params.message)?.[0] ?? '';
    return { address: json.params.url, code };
  }

  it('the code is typed on its page: signed in without a browser here, polled every 5 s and no faster, refreshed', async () => {
    await using w = await device();
    const { code } = await shown(w.person);
    await w.authority.requests.until(() => forms(w, '/token').length === 2);
    const page = await visit(`${w.authority.issuer}/device`, {
      fill: (hidden) => {
        if (!hidden.has('user_code')) hidden.set('user_code', code.toLowerCase());
        return hidden;
      },
    });
    expect(page.body).toContain('successful');
    const { json } = await w.person.bridge.answer('list');
    expect(JSON.stringify(json.result)).toContain('echo');
    const polls = w.authority.requests.entries.filter(({ path }) => path === '/token');
    const gaps = polls.slice(1).map(({ at }, index) => (at - (polls[index]?.at ?? 0)) * SPEED);
    // It gives no interval. Timers are off by milliseconds, which count twenty times here.
    expect(Math.min(...gaps)).toBeGreaterThan(4_500);
    expect(w.authority.tokens.newest?.audience).toBe(w.server.url);
    expect(w.person.opened).toEqual([]);
    await lapse(w);
    expect(w.authority.counters).toMatchObject({ refreshes: 1, replays: 0, registrations: 1 });
  });

  it('the person cancels on its page: reported, and polling stops', async () => {
    await using w = await device();
    const { address } = await shown(w.person);
    await visit(address, {
      fill: (hidden, page) => {
        if (hidden.has('confirm')) hidden.set('abort', 'yes');
        return page.includes('was interrupted') ? undefined : hidden;
      },
    });
    expect(JSON.stringify((await w.person.bridge.answer('list')).json.error)).toContain('declined');
    const polls = forms(w, '/token').length;
    expect(await w.person.signIns[0]).toMatchObject({ error: { code: 'authorization_denied' } });
    expect(forms(w, '/token')).toHaveLength(polls);
  });

  it("the code expires before it is entered: the server's error is passed on", async () => {
    await using w = await device();
    await shown(w.person);
    w.authority.expireDeviceCodes();
    expect(JSON.stringify((await w.person.bridge.answer('list')).json.error)).toContain('no longer valid');
    expect(await w.person.signIns[0]).toMatchObject({ error: { code: 'sign_in_expired' } });
  });
});

describe('manually registered clients', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let folder: string;
  let key: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drawbridge-interop-'));
    const file = join(folder, 'key.json');
    await writeFile(file, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'mine' }));
    key = ['--client-id', 'by-key', '--client-key', file];
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const byKey = {
    client_id: 'by-key',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'mine' }] },
  } as const;
  const native: ClientMetadata = {
    ...byKey,
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
  };
  const service = (metadata: ClientMetadata): ClientMetadata => ({
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
    ...metadata,
  });

  it('by key, with every request pushed: signed in, refreshed, revoked, with a new assertion for each request', async () => {
    await using w = await world({ extras: { clients: [native], requirePushed: true } }, key);
    expect(await w.person.tools()).toContain('echo');
    const [address = ''] = w.person.opened;
    expect([...new URL(address).searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    await lapse(w);
    expect(await w.person.logout()).toMatchObject({ outcome: 'done' });
    const sent = ['/request', '/token', '/token/revocation'].map((path) => forms(w, path));
    expect(sent.map(({ length }) => length)).toEqual([1, 2, 2]);
    const assertions = sent.flat().map((form) => form.get('client_assertion'));
    expect(new Set(assertions).size).toBe(5);
    expect(assertions).not.toContain(null);
    expect(w.authority.counters).toMatchObject({ registrations: 0, refreshes: 1, revocations: 2 });
  });

  it('a key unknown to the server is refused there, and reported', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const jwks = { keys: [{ ...other, kid: 'mine' }] };
    await using w = await world({ extras: { clients: [{ ...native, jwks }] } }, key);
    const failure = JSON.stringify(await w.person.tools());
    expect(failure).toContain('invalid_client');
    expect(failure).toContain('its key');
    expect(w.authority.counters.codeExchanges).toBe(0);
  });

  it.each([
    ['client_secret_basic', 'hu:sh %+&'],
    ['client_secret_post', 'hu:sh %+&'],
    ['private_key_jwt', undefined],
  ] as const)('a service by %s: no sign-in, the token for this resource', async (method, secret) => {
    const extras = {
      clientCredentials: true,
      clients: [
        service(
          secret === undefined
            ? byKey
            : { client_id: 'by-secret', client_secret: secret, token_endpoint_auth_method: method },
        ),
      ],
    };
    const client =
      secret === undefined ? key : ['--client-id', 'by-secret', '--client-secret-env', 'SERVICE_SECRET'];
    const env = secret === undefined ? {} : { SERVICE_SECRET: secret };
    await using w = await world({ extras }, ['--grant', 'client_credentials', ...client], { env });
    // Of several methods the first that a secret allows is taken: told apart by what the metadata offers.
    w.authority.alterMetadata = (document) => ({
      ...document,
      token_endpoint_auth_methods_supported: [method],
    });
    expect(await w.person.tools()).toContain('echo');
    expect(w.authority.tokens.newest).toMatchObject({ audience: w.server.url, scopes: ['mcp:tools'] });
    await lapse(w);
    expect(forms(w, '/token')).toHaveLength(2);
    expect(w.person.opened).toEqual([]);
  });
});

describe('pushed authorization requests (RFC 9126)', () => {
  it('required: a forgotten registration is noticed there, and made again', async () => {
    await using w = await world({ extras: { requirePushed: true } });
    expect(await w.person.tools()).toContain('echo');
    w.authority.forgetClients();
    w.authority.revokeEverything();
    expect((await w.person.bridge.request(1, 'tools/call', echo)).json.result).toBeDefined();
    expect(w.authority.counters).toMatchObject({ registrations: 2, codeExchanges: 2 });
    expect(w.person.opened).toHaveLength(2);
  });

  it('only offered: the request goes through the browser', async () => {
    await using w = await world({});
    expect(await w.authority.metadata()).toMatchObject({
      pushed_authorization_request_endpoint: `${w.authority.issuer}/request`,
    });
    expect(await w.person.tools()).toContain('echo');
    expect(forms(w, '/request')).toEqual([]);
    expect(new URL(w.person.opened[0] ?? '').searchParams.get('code_challenge_method')).toBe('S256');
  });
});

describe('resource indicators (RFC 8707)', () => {
  it('the same bytes on authorize, token and refresh; the tokens are for them alone', async () => {
    await using w = await world({});
    expect(await w.person.tools()).toContain('echo');
    await lapse(w);
    const asked = new URL(w.person.opened[0] ?? '').searchParams.getAll('resource');
    const sent = forms(w, '/token').map((form) => form.getAll('resource'));
    expect([asked, ...sent]).toEqual(Array(3).fill([w.server.url]));
    expect(w.authority.tokens.all.map(({ audience }) => audience)).toEqual(Array(2).fill(w.server.url));
  });

  it('an unknown resource is refused as invalid_target, and the message says what to change', async () => {
    await using w = await world({ acceptsResource: (resource) => resource.endsWith('/mcp') }, [
      '--resource',
      'https://other.example/api',
    ]);
    const failure = JSON.stringify(await w.person.tools());
    expect(failure).toContain('invalid_target');
    expect(failure).toContain('--resource');
    expect(w.authority.counters.codeExchangePosts).toBe(0);
  });

  it('a resource that the server no longer knows at a refresh: the same message, and no tab', async () => {
    let known = true;
    await using w = await world({ acceptsResource: () => known });
    expect(await w.person.tools()).toContain('echo');
    known = false;
    w.authority.tokens.revokeAll();
    const { error } = (await w.person.bridge.request(1, 'tools/call', echo)).json;
    expect(JSON.stringify(error)).toContain('invalid_target');
    expect(w.person.opened).toHaveLength(1);
  });
});

describe('logout (RFC 7009)', () => {
  it('both tokens are invalid at the server afterwards, by introspection and by use', async () => {
    await using w = await world({});
    expect(await w.person.tools()).toContain('echo');
    const record = await w.person.record();
    const before = await stateAtServer(w, record);
    expect(before).toMatchObject({ access: { active: true }, refresh: { active: true }, use: 400 });
    expect(await w.person.logout()).toMatchObject({ outcome: 'done' });
    const hints = forms(w, '/token/revocation').map((form) => form.get('token_type_hint'));
    expect(hints).toEqual(['refresh_token', 'access_token']);
    const after = await stateAtServer(w, record);
    expect(after).toMatchObject({ access: { active: false }, refresh: { active: false }, use: 401 });
    expect(await after.redeem()).toMatchObject({ error: 'invalid_grant' });
    expect(await w.person.record()).toBeUndefined();
  });
});
