import { describe, expect, it } from 'vitest';
import { refusal, type VendorAnswer, type VendorHabits } from '../peers/vendor.ts';
import { createVendorWorld } from '../peers/vendor-world.ts';

/** QUIRKS.md, row by row: a peer that behaves so, the options that a person gives, and whether it is served at start and after a lapse. */
interface Row {
  readonly who: string;
  readonly habits: VendorHabits;
  readonly args?: readonly string[];
}

const byHand = ['--client-id', 'by-hand'];
const unregistered = { registration_endpoint: undefined };
const error = (description: string): VendorAnswer => refusal('invalid_request', description);

const rows: readonly Row[] = [
  {
    who: 'Entra ID refuses resource, wants the scope each time, and redirects to localhost',
    args: ['--preset', 'entra', ...byHand],
    habits: {
      metadata: () => ({ ...unregistered, code_challenge_methods_supported: undefined }),
      resourceMetadata: () => ({ scopes_supported: ['api://app/mcp'] }),
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
    args: ['--preset', 'google', ...byHand],
    habits: {
      metadata: () => ({ ...unregistered, scopes_supported: ['openid', 'email'] }),
      resourceMetadata: () => ({ scopes_supported: ['drive'] }),
      authorize: (query) => {
        const isOffline = query.get('access_type') === 'offline' && query.get('prompt') === 'consent';
        return isOffline && query.get('scope') === 'drive' ? undefined : { status: 400 };
      },
    },
  },
  {
    who: 'Slack registers nobody and calls a person’s token "user"',
    args: ['--preset', 'slack', ...byHand],
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
    args: ['--preset', 'github', ...byHand],
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
    args: ['--preset', 'cognito', ...byHand, '--scope', 'openid'],
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
    args: ['--preset', 'okta', ...byHand],
    habits: {
      metadata: () => null,
      register: () => ({ status: 401 }),
      other: ({ path }, vendor) =>
        path === '/.well-known/openid-configuration'
          ? {
              body: {
                ...{ issuer: vendor.origin, authorization_endpoint: `${vendor.origin}/authorize` },
                ...{ token_endpoint: `${vendor.origin}/token`, code_challenge_methods_supported: ['S256'] },
              },
            }
          : undefined,
    },
  },
  {
    who: 'Salesforce redirects to localhost and answers GET with 405',
    args: ['--preset', 'salesforce', ...byHand],
    habits: {
      authorize: (query) =>
        query.get('redirect_uri')?.startsWith('http://localhost:') ? undefined : { status: 400 },
    },
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

  it('a refresh token that stays (no rotation) is used again', async () => {
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

  it('Cognito without the preset: the refusal names --assume-pkce', async () => {
    await using world = await createVendorWorld({
      metadata: () => ({ code_challenge_methods_supported: undefined }),
    });
    expect(JSON.stringify(await world.tools())).toContain('--assume-pkce');
    expect(world.opened).toEqual([]);
  });

  it('Slack answers 400 to a version that it does not know: its words reach the host', async () => {
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
