import { describe, expect, it } from 'vitest';
import { listen } from '../../peers/net/listening.ts';
import { refusal, type VendorAnswer, type VendorHabits } from '../../peers/vendors/vendor.ts';
import { BridgeWorld } from '../../peers/worlds/bridge-world.ts';
import { createVendorWorld } from '../../peers/worlds/vendor-world.ts';

/*
 * What authorization servers do in the wild, row by row: whose habit, and which test has a peer that behaves so.
 *
 * Microsoft Entra ID   "Entra ID …": resource, scopes, {tenantid} in the issuer, no registration
 * Google               "Google …"; 401 on a call only: auth-step-up.test.ts, "a sign-in during a session"
 * Slack                "Slack …": no registration, token_type, ok: false, an older protocol version; localhost
 * Atlassian            "Atlassian …": rotation, HTTP+SSE; "Azure and Atlassian list 127.0.0.1"
 * Notion               "Notion …": one replay kills the family
 * GitHub               "GitHub …": form-encoded answers; "nobody can register": 404, 422
 * GitLab               "GitLab …"
 * Supabase             "Supabase …": OpenID scopes; a stale client; errors that are not OAuth
 * Cognito, AgentCore   "Cognito …", with the preset and without
 * Auth0                "Auth0 …"
 * Okta                 "Okta …"; "nobody can register": 401
 * Keycloak             "Keycloak …"; "nobody can register": 403
 * Salesforce           "Salesforce …"
 * Azure                "Azure and Atlassian list 127.0.0.1"
 * Asana, Intercom      "Asana and Intercom …"
 * Figma, HubSpot, Box  "nobody can register": 403, no endpoint
 * Datadog              "Datadog: …"
 * Metabase             "Metabase …"
 * Redeployed servers   "a redeployed server …"; sign-in.test.ts for invalid_client at the exchange
 * Many                 "token_type …", "expires_in …"
 */

/** A peer that behaves so, the options that a person gives; whether it is served at start and after a lapse. */
interface Row {
  readonly who: string;
  readonly habits: VendorHabits;
  readonly args?: readonly string[];
}

const manualClient = ['--client-id', 'by-hand'];
const unregistered = { registration_endpoint: undefined };

/** Refresh tokens that work once; the second time, nothing that came of the same login works any more. */
function rotation(words: string) {
  const used = new Set<string>();
  const replays: string[] = [];
  const token: VendorHabits['token'] = (form, _request, vendor) => {
    const refreshToken = form.get('refresh_token');
    if (refreshToken === null) return undefined;
    if (!used.has(refreshToken)) {
      used.add(refreshToken);
      return undefined;
    }
    replays.push(refreshToken);
    vendor.forgetLogins();
    return refusal('invalid_grant', words);
  };
  return { token, replays };
}

const error = (description: string): VendorAnswer => refusal('invalid_request', description);

const rows: readonly Row[] = [
  {
    who: 'Entra ID refuses resource, wants the scope each time, names no tenant, and redirects to localhost',
    args: ['--preset', 'entra', ...manualClient],
    habits: {
      metadata: () => null,
      resourceMetadata: ({ origin }) => ({
        scopes_supported: ['api://app/mcp'],
        authorization_servers: [`${origin}/contoso.com/v2.0`],
      }),
      other: ({ path }, { origin }) =>
        path === '/contoso.com/v2.0/.well-known/openid-configuration'
          ? {
              body: {
                issuer: `${origin}/{tenantid}/v2.0`,
                token_endpoint: `${origin}/token`,
                authorization_endpoint: `${origin}/authorize`,
              },
            }
          : undefined,
      authorize: (query) => {
        if (query.has('resource')) return { status: 400, body: 'AADSTS9010010' };
        if (query.get('scope') !== 'api://app/mcp') return { status: 400, body: 'AADSTS900144' };
        return query.get('redirect_uri')?.startsWith('http://localhost:') ? undefined : { status: 400 };
      },
      token: (form) => {
        if (form.has('resource')) return error('AADSTS901002');
        return form.get('scope') === 'api://app/mcp' ? undefined : error('AADSTS90009');
      },
    },
  },
  {
    who: 'Google gives a refresh token only for access_type=offline and prompt=consent, and refuses offline_access',
    args: ['--preset', 'google', ...manualClient],
    habits: {
      metadata: () => ({ ...unregistered, code_challenge_methods_supported: undefined }),
      resourceMetadata: () => ({ scopes_supported: ['drive'] }),
      authorize: (query) => (query.get('scope') === 'drive' ? undefined : { status: 400 }),
      token: (form, _request, vendor) => {
        if (form.get('grant_type') !== 'authorization_code') return undefined;
        const query = vendor.authorizeQueries.at(-1);
        const isOffline = query?.get('access_type') === 'offline' && query.get('prompt') === 'consent';
        return vendor.issue('drive', isOffline ? {} : { refresh_token: undefined });
      },
    },
  },
  {
    who: 'Slack registers nobody and calls a person’s token "user"',
    args: ['--preset', 'slack', ...manualClient],
    habits: {
      metadata: () => unregistered,
      authorize: (query) =>
        query.get('redirect_uri')?.startsWith('http://localhost:') ? undefined : { status: 400 },
      token: (form, _request, vendor) =>
        form.get('grant_type') === 'authorization_code'
          ? vendor.issue(undefined, { token_type: 'user' })
          : undefined,
    },
  },
  {
    who: 'GitHub registers nobody and answers with a form',
    args: ['--preset', 'github', ...manualClient],
    habits: {
      metadata: () => ({ ...unregistered, code_challenge_methods_supported: undefined }),
      token: (_form, request, vendor) => {
        const { body } = vendor.issue('repo', { expires_in: '28800' });
        if (request.headers.accept?.includes('application/json')) return { body };
        return { body: new URLSearchParams(body as Record<string, string>).toString() };
      },
    },
  },
  {
    who: 'one that answers with a form whatever it is asked for',
    habits: {
      token: (_form, _request, vendor) => ({
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(vendor.issue('repo').body as Record<string, string>).toString(),
      }),
    },
  },
  {
    who: 'GitLab grants registered clients mcp alone, whatever its list says',
    habits: {
      metadata: () => ({ scopes_supported: ['api', 'read_user', 'sudo', 'mcp'] }),
      resourceMetadata: () => ({ scopes_supported: ['mcp'] }),
      authorize: (query) => (query.get('scope') === 'mcp' ? undefined : { status: 400, body: 'scope' }),
    },
  },
  {
    who: 'Supabase refuses the scopes of OpenID Connect',
    habits: {
      metadata: () => ({ scopes_supported: ['openid', 'email', 'profile'] }),
      authorize: (query) => (query.has('scope') ? { status: 400 } : undefined),
    },
  },
  {
    who: 'Cognito says nothing of PKCE, and wants the ID token',
    args: ['--preset', 'cognito', ...manualClient, '--scope', 'openid'],
    habits: {
      metadata: () => ({ ...unregistered, code_challenge_methods_supported: undefined }),
      token: (form, _request, vendor) => {
        if (form.has('resource')) return error('resource');
        // The server takes what it issued by this name only.
        const { accessToken } = { accessToken: `id-${vendor.to('/token').length}` };
        const answer = vendor.issue('openid', { id_token: accessToken, access_token: 'not-for-this' });
        vendor.issued.push({ accessToken, scope: 'openid' });
        return answer;
      },
    },
  },
  {
    who: 'Auth0 needs the audience',
    args: ['--preset', 'auth0'],
    habits: {
      authorize: (query, vendor) =>
        query.get('prompt') === 'none' || query.get('audience') === vendor.mcpUrl
          ? undefined
          : { status: 400 },
    },
  },
  {
    who: 'Okta has its metadata at the place of OpenID Connect only, and registration needs a key',
    args: ['--preset', 'okta', ...manualClient],
    habits: {
      metadata: () => null,
      register: () => ({ status: 401 }),
      other: ({ path }, vendor) =>
        path === '/.well-known/openid-configuration'
          ? {
              body: {
                issuer: vendor.origin,
                authorization_endpoint: `${vendor.origin}/authorize`,
                token_endpoint: `${vendor.origin}/token`,
                code_challenge_methods_supported: ['S256'],
              },
            }
          : undefined,
    },
  },
  {
    who: 'Salesforce redirects to localhost and answers GET with 405',
    args: ['--preset', 'salesforce', ...manualClient],
    habits: {
      authorize: (query) =>
        query.get('redirect_uri')?.startsWith('http://localhost:') ? undefined : { status: 400 },
    },
  },
  {
    who: 'Atlassian speaks HTTP+SSE at an address that answers POST with 404, and rotates',
    habits: { sse: true, token: rotation('already used').token },
  },
  {
    who: 'Azure and Atlassian list 127.0.0.1',
    habits: {
      authorize: (query) =>
        query.get('redirect_uri')?.startsWith('http://127.0.0.1:') ? undefined : { status: 400 },
    },
  },
  ...['Bearer', 'bearer', 'BEARER', undefined].map(
    (type): Row => ({
      who: `token_type ${type}, expires_in a string, no scope`,
      habits: {
        token: (form, _request, vendor) =>
          form.get('grant_type') === 'authorization_code'
            ? vendor.issue(undefined, { token_type: type, expires_in: '3600' })
            : undefined,
      },
    }),
  ),
  ...[0, '0', undefined, null, 'soon'].map(
    (expiresIn): Row => ({
      who: `expires_in ${JSON.stringify(expiresIn)}`,
      habits: { token: (_form, _request, vendor) => vendor.issue(undefined, { expires_in: expiresIn }) },
    }),
  ),
];

describe('vendors', () => {
  it.each(rows)('$who', async ({ habits, args = [] }) => {
    await using world = await createVendorWorld(habits, args);
    expect(await world.tools()).toEqual(['echo']);
    expect(world.opened).toHaveLength(1);
    world.vendor.forgetAccessTokens();
    expect((await world.bridge.request(2, 'tools/list')).json.result).toBeDefined();
    // The lapse was nobody's business but the token endpoint's.
    expect(world.opened).toHaveLength(1);
    expect(world.vendor.to('/token')).toHaveLength(2);
  });

  it('a refresh token that does not rotate is used again', async () => {
    await using world = await createVendorWorld({
      token: (form, _request, vendor) =>
        form.get('grant_type') === 'refresh_token'
          ? vendor.issue(undefined, { refresh_token: undefined })
          : undefined,
    });
    expect(await world.tools()).toEqual(['echo']);
    for (const id of [2, 3]) {
      world.vendor.forgetAccessTokens();
      expect((await world.bridge.request(id, 'tools/list')).json.result).toBeDefined();
      // Told that the new one works, or two refusals in a row would be one too many.
      expect((await world.bridge.request(id + 10, 'tools/list')).json.result).toBeDefined();
    }
    const sent = world.vendor.tokenForms
      .map((form) => form.get('refresh_token'))
      .filter((token) => token !== null);
    expect(new Set(sent).size).toBe(1);
    expect(sent).toHaveLength(2);
  });

  it.each<[string, VendorAnswer, string]>([
    ['Slack: 200 and ok: false', { body: { ok: false, error: 'invalid_code' } }, 'invalid_code'],
    ['Datadog: {"errors":[…]}', { status: 400, body: { errors: ['Forbidden fruit'] } }, 'Forbidden fruit'],
    [
      'Supabase: JSON that is not OAuth',
      { status: 422, body: { code: 422, msg: 'no such thing' } },
      'no such thing',
    ],
    ['HTML', { status: 500, body: '<h1>oops</h1>' }, '500'],
  ])('%s at the token endpoint is read', async (_name, answer, message) => {
    await using world = await createVendorWorld({ token: () => answer });
    expect(JSON.stringify(await world.tools())).toContain(message);
    expect(world.vendor.to('/token')).toHaveLength(1);
  });

  it('Notion revokes the family at the first replay: several instances never cause one', async () => {
    const { token, replays } = rotation('token has been revoked');
    await using world = await createVendorWorld({ token });
    expect(await world.tools()).toEqual(['echo']);
    const { vendor, home } = world;
    await using second = await BridgeWorld.to(vendor.mcpUrl, [], { home });
    await using third = await BridgeWorld.to(vendor.mcpUrl, [], { home });
    const instances = [world, second, third];
    await Promise.all([second.tools(), third.tools()]);
    for (const round of [1, 2]) {
      vendor.forgetAccessTokens();
      const calls = instances.map(({ bridge }) => bridge.request(`call ${round}`, 'tools/list'));
      expect((await Promise.all(calls)).every(({ json }) => json.result !== undefined)).toBe(true);
    }
    expect(vendor.to('/token')).toHaveLength(3);
    expect(replays).toEqual([]);
    expect(instances.flatMap(({ opened }) => opened)).toHaveLength(1);

    // The peer is as it is said to be.
    const stale = vendor.tokenForms.at(-1) ?? new URLSearchParams();
    const replay = await fetch(`${vendor.origin}/token`, { method: 'POST', body: stale });
    expect([replay.status, replays.length]).toEqual([400, 1]);
    expect(vendor.issued).toEqual([]);
  });

  it('Metabase answers invalid_request for a dead refresh token: the second time, a sign-in starts', async () => {
    await using world = await createVendorWorld({
      token: (form, _request, vendor) =>
        form.has('refresh_token') && vendor.issued.length === 0 ? refusal('invalid_request') : undefined,
    });
    expect(await world.tools()).toEqual(['echo']);
    world.vendor.forgetLogins();
    const first = await world.bridge.request(1, 'tools/list');
    expect(JSON.stringify(first.json.error)).toContain('invalid_request');
    expect(world.opened).toHaveLength(1);
    // Until its pause is over, the answer is the same.
    await expect
      .poll(async () => (await world.bridge.request(`again ${Math.random()}`, 'tools/list')).json.result)
      .toBeDefined();
    expect(world.opened).toHaveLength(2);
    expect(world.vendor.tokenForms.filter((form) => form.has('refresh_token'))).toHaveLength(2);
  });

  it.each<[string, VendorAnswer, string]>([
    [
      'Supabase, a stale client: 422',
      { status: 422, body: { code: 422, msg: 'no such client' } },
      'invalid_grant',
    ],
    ['a redeployed server: a page', { status: 400, body: '<h1>Unknown client</h1>' }, 'invalid_client'],
  ])('%s at authorize: registered once more, before a browser opens', async (_name, unknown, atRefresh) => {
    const clients = new Set<string>();
    await using world = await createVendorWorld({
      register: (_vendor, { body }) => {
        const clientId = `client-${Math.random()}`;
        clients.add(clientId);
        return { status: 201, body: { ...JSON.parse(body), client_id: clientId } };
      },
      authorize: (query) => (clients.has(query.get('client_id') ?? '') ? undefined : unknown),
      token: (form) => (clients.has(form.get('client_id') ?? '') ? undefined : refusal(atRefresh)),
    });
    expect(await world.tools()).toEqual(['echo']);
    clients.clear();
    world.vendor.forgetLogins();
    expect((await world.bridge.request(1, 'tools/list')).json.result).toBeDefined();
    expect(world.vendor.to('/register')).toHaveLength(2);
    expect(
      world.opened.map((address) => clients.has(new URL(address).searchParams.get('client_id') ?? '')),
    ).toEqual([false, true]);
  });

  it.each<[string, number, number]>([
    ['a login page that wants a browser keeps', 404, 1],
    ['a login page that wants a session keeps', 401, 1],
    ['an error page to which it redirects costs', 400, 2],
  ])('%s the registration (%d)', async (_name, status, registrations) => {
    await using world = await createVendorWorld({
      other: ({ path }) => (path === '/login' ? { status, body: '<h1>Hello</h1>' } : undefined),
    });
    expect(await world.tools()).toEqual(['echo']);
    world.vendor.forgetLogins();
    expect((await world.bridge.request(1, 'tools/list')).json.result).toBeDefined();
    expect(world.vendor.to('/register')).toHaveLength(registrations);
  });

  it('Keycloak compares the redirect with its port: the next sign-in uses the same port', async () => {
    let registered: string | undefined;
    await using world = await createVendorWorld({
      register: (_vendor, { body }) => {
        registered ??= JSON.parse(body).redirect_uris[0];
        return undefined;
      },
      authorize: (query) => (query.get('redirect_uri') === registered ? undefined : { status: 400 }),
    });
    expect(await world.tools()).toEqual(['echo']);
    world.vendor.forgetLogins();
    expect((await world.bridge.request(1, 'tools/list')).json.result).toBeDefined();
    expect(world.vendor.to('/register')).toHaveLength(1);
    expect(world.opened).toHaveLength(2);
  });

  describe('Asana and Intercom allow only listed redirects', () => {
    const listed = (redirect: string): VendorHabits => ({
      register: (_vendor, { body }) =>
        JSON.parse(body).redirect_uris[0] === redirect
          ? undefined
          : refusal('invalid_redirect_uri', `only ${redirect}`),
      authorize: (query) => (query.get('redirect_uri') === redirect ? undefined : { status: 400 }),
    });

    it('another redirect is refused: the error says what the server wants, and which options set it', async () => {
      await using world = await createVendorWorld(listed('http://127.0.0.1:1/oauth/callback'));
      const failure = JSON.stringify(await world.tools());
      expect(failure).toContain('only http://127.0.0.1:1/oauth/callback');
      expect(failure).toContain('--callback-host, --callback-port and --callback-path');
      expect(world.opened).toEqual([]);
    });

    it('with a fixed port and path the sign-in works, also a second time', async () => {
      const { port, close } = await listen(() => {});
      await close();
      const args = ['--callback-port', `${port}`, '--callback-path', '/oauth/callback'];
      await using world = await createVendorWorld(listed(`http://127.0.0.1:${port}/oauth/callback`), args);
      expect(await world.tools()).toEqual(['echo']);
      world.vendor.forgetLogins();
      expect((await world.bridge.request(1, 'tools/list')).json.result).toBeDefined();
      expect(world.opened).toHaveLength(2);
    });
  });

  describe('registration is not possible', () => {
    it.each<[string, VendorHabits]>([
      ['HubSpot: no endpoint', { metadata: () => unregistered }],
      ['Figma, Box: 403', { register: () => ({ status: 403, body: '<h1>Forbidden</h1>' }) }],
      ['GitHub: 404', { register: () => ({ status: 404 }) }],
      ['GitHub: 422', { register: () => ({ status: 422, body: { message: 'Unprocessable' } }) }],
      ['Okta: 401', { register: () => ({ status: 401, body: { errorCode: 'E0000011' } }) }],
      [
        'Keycloak: 403',
        { register: () => refusal('insufficient_scope', "Policy 'Trusted Hosts' rejected request", 403) },
      ],
    ])('%s: the message says what to put where, and no browser is opened', async (_name, habits) => {
      await using world = await createVendorWorld(habits);
      const failure = JSON.stringify(await world.tools());
      expect(failure).toContain('--client-id');
      expect(failure).toContain('--client-secret-env');
      expect(failure).toContain('MCP_DRAWBRIDGE_TOKEN');
      expect(failure).toMatch(/http:\/\/127\.0\.0\.1:\d+\/callback/);
      expect(world.opened).toEqual([]);
    });
  });

  it('an issuer with one slash more than the address that led to it: refused by name, and accepted with --issuer', async () => {
    const habits: VendorHabits = { metadata: ({ origin }) => ({ issuer: `${origin}/` }) };
    await using refused = await createVendorWorld(habits);
    const failure = JSON.stringify(await refused.tools());
    expect(failure).toContain(JSON.stringify(`--issuer "${refused.vendor.origin}/"`).slice(1, -1));
    expect(refused.vendor.requests.count(({ method }) => method === 'POST')).toBe(1);

    await using accepted = await createVendorWorld(habits, ({ origin }) => ['--issuer', `${origin}/`]);
    expect(await accepted.tools()).toEqual(['echo']);
    expect((await accepted.record())?.issuer).toBe(`${accepted.vendor.origin}/`);
  });

  it('Cognito without the preset: the refusal names --assume-pkce', async () => {
    await using world = await createVendorWorld({
      metadata: () => ({ code_challenge_methods_supported: undefined }),
    });
    expect(JSON.stringify(await world.tools())).toContain('--assume-pkce');
    expect(world.opened).toEqual([]);
  });

  it('Slack answers 400 to an unknown version: its newest version is negotiated', async () => {
    const known = ['2024-11-05', '2025-03-26'];
    const message = `Unsupported protocol version, use one of ${known.join(', ')}`;
    await using world = await createVendorWorld({
      mcp: (rpc, request, vendor) => {
        if (rpc.method !== 'initialize' || vendor.issuedTo(request) === undefined) return undefined;
        const { protocolVersion } = JSON.parse(request.body).params;
        if (!known.includes(protocolVersion)) {
          return { status: 400, body: { jsonrpc: '2.0', id: null, error: { code: -32602, message } } };
        }
        const serverInfo = { name: 'slack', version: '1' };
        const result = { protocolVersion, serverInfo, capabilities: { tools: {} } };
        return { body: { jsonrpc: '2.0', id: rpc.id, result } };
      },
    });
    const { json } = await world.bridge.initialize();
    expect(json.result).toMatchObject({ protocolVersion: '2025-03-26', serverInfo: { name: 'slack' } });
    expect((await world.bridge.request(1, 'tools/list')).json.result).toBeDefined();
    const last = world.vendor.to('/mcp', 'POST').at(-1);
    expect(last?.headers['mcp-protocol-version']).toBe('2025-03-26');
  });

  it('Slack, when no version works: its message reaches the host', async () => {
    const words = 'Unsupported protocol version';
    await using world = await createVendorWorld({
      mcp: () => ({
        status: 400,
        body: { jsonrpc: '2.0', id: null, error: { code: -32000, message: words } },
      }),
    });
    expect(JSON.stringify(await world.tools())).toContain(words);
  });
});
