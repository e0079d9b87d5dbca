import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jwtNamed } from '../../peers/authorization-servers/jwt.ts';
import { refusal, Vendor, type VendorHabits } from '../../peers/vendors/vendor.ts';
import { BridgeWorld } from '../../peers/worlds/bridge-world.ts';
import { createVendorWorld } from '../../peers/worlds/vendor-world.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-machine-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const service = ['--grant', 'client_credentials', '--client-id', 'service', '--client-secret', 'hush-hush'];

/** No authorization endpoint, no PKCE: nobody is ever redirected there. */
const metadata = () => ({
  authorization_endpoint: undefined,
  code_challenge_methods_supported: undefined,
  registration_endpoint: undefined,
  response_types_supported: [],
});
const grants = (grantType: string, expiresIn = 3600): VendorHabits => ({
  metadata,
  token: (form, _request, vendor) =>
    form.get('grant_type') === grantType
      ? vendor.issue(form.get('scope') ?? undefined, { expires_in: expiresIn })
      : undefined,
});

describe('client_credentials', () => {
  it('needs no sign-in; sends resource and scope; keeps no refresh token', async () => {
    const resourceMetadata = () => ({ scopes_supported: ['read'] });
    await using world = await createVendorWorld(
      { ...grants('client_credentials'), resourceMetadata },
      service,
    );
    expect(await world.tools()).toEqual(['echo']);
    expect(Object.fromEntries(world.vendor.tokenForms[0] ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope: 'read',
      resource: world.vendor.mcpUrl,
    });
    expect(world.vendor.to('/token')[0]?.headers.authorization).toMatch(/^Basic /);
    const record = await world.record();
    expect(record?.tokens?.refreshToken).toBeUndefined();
    expect(JSON.stringify(record)).not.toContain('hush');
    expect(world.vendor.to('/authorize')).toEqual([]);
  });

  it('sends one request for concurrent callers, and gets a new token when the last is refused', async () => {
    await using world = await createVendorWorld(grants('client_credentials'), service);
    expect(await world.tools()).toEqual(['echo']);
    world.vendor.forgetAccessTokens();
    const answers = await Promise.all([1, 2, 3, 4].map((id) => world.bridge.request(id, 'tools/list')));
    expect(answers.every(({ json }) => json.result !== undefined)).toBe(true);
    expect(world.vendor.to('/token')).toHaveLength(2);
    await using second = await BridgeWorld.to(world.vendor.mcpUrl, service, { home: world.home });
    expect(await second.tools()).toEqual(['echo']);
    expect(world.vendor.to('/token')).toHaveLength(2);
  });

  it.each(['invalid_client', 'invalid_scope', 'unauthorized_client'])(
    '%s is final: one request, no other grant, and the error says so',
    async (error) => {
      await using world = await createVendorWorld(
        { metadata, token: () => refusal(error, 'because hush-hush') },
        service,
      );
      const failure = JSON.stringify(await world.tools());
      expect(failure).toContain(error);
      expect(failure).not.toContain('hush');
      await world.bridge.initialize({}, 'again');
      await world.bridge.request(3, 'tools/list');
      expect(world.vendor.to('/token')).toHaveLength(1);
      expect(world.vendor.to('/authorize')).toEqual([]);
    },
  );

  it('requests more scope when a call needs it, in addition to the previous scope', async () => {
    await using world = await createVendorWorld(
      {
        ...grants('client_credentials'),
        resourceMetadata: () => ({ scopes_supported: ['read'] }),
        mcp: (rpc, request, vendor) => {
          const issued = vendor.issuedTo(request);
          if (issued === undefined) return vendor.unauthorized();
          if (rpc.method !== 'tools/call' || issued.scope?.includes('write')) return undefined;
          const headers = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="write"' };
          return { status: 403, headers };
        },
      },
      service,
    );
    expect(await world.tools()).toEqual(['echo']);
    expect((await world.bridge.request(1, 'tools/call', { name: 'echo' })).json.result).toBeDefined();
    expect(world.vendor.tokenForms.map((form) => form.get('scope'))).toEqual(['read', 'read write']);
  });
});

describe('jwt-bearer', () => {
  it('reads the assertion again for each request', async () => {
    const file = join(folder, 'assertion');
    await writeFile(file, `${jwtNamed('Zmlyc3Q')}\n`);
    await using world = await createVendorWorld(grants(JWT_BEARER), [
      '--grant',
      'jwt-bearer',
      '--assertion-file',
      file,
    ]);
    expect(await world.tools()).toEqual(['echo']);
    await writeFile(file, jwtNamed('c2Vjb25k'));
    world.vendor.forgetAccessTokens();
    expect((await world.bridge.request(2, 'tools/list')).json.result).toBeDefined();
    expect(world.vendor.tokenForms.map((form) => form.get('assertion'))).toEqual([
      jwtNamed('Zmlyc3Q'),
      jwtNamed('c2Vjb25k'),
    ]);
    expect(world.vendor.tokenForms.every((form) => !form.has('client_id'))).toBe(true);
  });

  it('a refusal is final for that assertion, not for its replacement', async () => {
    const file = join(folder, 'renewed');
    await writeFile(file, jwtNamed('ZXhwaXJlZA'));
    const { token } = grants(JWT_BEARER);
    const habits: VendorHabits = {
      metadata,
      token: (form, ...more) =>
        form.get('assertion') === jwtNamed('ZXhwaXJlZA') ? refusal('invalid_grant') : token?.(form, ...more),
    };
    await using world = await createVendorWorld(habits, ['--grant', 'jwt-bearer', '--assertion-file', file]);
    expect(JSON.stringify(await world.tools())).toContain('invalid_grant');
    // The same, with the line break of another editor.
    await writeFile(file, `${jwtNamed('ZXhwaXJlZA')}\n`);
    expect((await world.bridge.initialize({}, 'same')).json.error).toBeDefined();
    expect(world.vendor.to('/token')).toHaveLength(1);
    await writeFile(file, jwtNamed('ZnJlc2g'));
    expect((await world.bridge.initialize({}, 'renewed')).json.result).toBeDefined();
    expect(world.vendor.to('/token')).toHaveLength(2);
  });

  it.each([
    ['is not there', undefined, 'cannot be read'],
    ['is no JWT', 'a=b&grant_type=password', 'one JWT'],
  ])('a file that %s: reports it, and sends nothing', async (_name, text, message) => {
    const file = join(folder, `assertion-${text === undefined}`);
    if (text !== undefined) await writeFile(file, text);
    const args = ['--grant', 'jwt-bearer', '--assertion-file', file, '--client-id', 'w'];
    await using world = await createVendorWorld(grants(JWT_BEARER), args);
    const failure = JSON.stringify(await world.tools());
    expect(failure).toContain(message);
    expect(failure).not.toContain('grant_type=password');
    expect(world.vendor.to('/token')).toEqual([]);
  });
});

describe('enterprise', () => {
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const idJag = 'urn:ietf:params:oauth:token-type:id-jag';

  async function world(answer: object, more: readonly string[] = [], env: Record<string, string> = {}) {
    const file = join(folder, 'id-token');
    await writeFile(file, jwtNamed('aWQ'));
    const idp = await Vendor.start({ token: () => ({ body: answer }) });
    const args = [
      '--grant',
      'enterprise',
      '--client-id',
      'app',
      '--client-secret',
      'hush-hush',
      '--id-token-file',
      file,
      '--idp-client-id',
      'at-idp',
      '--idp-token-endpoint',
      `${idp.origin}/token`,
      ...more,
    ];
    const made = await createVendorWorld(grants(JWT_BEARER), args, { env });
    return {
      idp,
      made,
      [Symbol.asyncDispose]: () =>
        Promise.all([made[Symbol.asyncDispose](), idp[Symbol.asyncDispose]()]).then(() => {}),
    };
  }

  const issued = {
    issued_token_type: idJag,
    access_token: jwtNamed('amFn'),
    token_type: 'N_A',
    expires_in: 300,
  };

  it.each(['env', 'file'])(
    'an identity provider that requires a secret gets its own (--idp-client-secret-%s)',
    async (way) => {
      const file = join(folder, 'idp-secret');
      await writeFile(file, 'at:idp hush\n');
      const value = way === 'env' ? 'IDP_SECRET' : file;
      await using w = await world(issued, [`--idp-client-secret-${way}`, value], {
        IDP_SECRET: 'at:idp hush',
      });
      expect(await w.made.tools()).toEqual(['echo']);
      const basic = (id: string, secret: string) =>
        `Basic ${Buffer.from(`${id}:${new URLSearchParams({ '': secret }).toString().slice(1)}`).toString('base64')}`;
      expect(w.idp.to('/token')[0]?.headers.authorization).toBe(basic('at-idp', 'at:idp hush'));
      expect(w.made.vendor.to('/token')[0]?.headers.authorization).toBe(basic('app', 'hush-hush'));
      expect(JSON.stringify(await w.made.record())).not.toContain('hush');
    },
  );

  it('signs with its own key, for this token endpoint', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const file = join(folder, 'idp.pem');
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await using w = await world(issued, ['--idp-client-key', file]);
    expect(await w.made.tools()).toEqual(['echo']);
    const [header = '', claims = '', signature = ''] =
      w.idp.tokenForms[0]?.get('client_assertion')?.split('.') ?? [];
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify('sha256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'at-idp',
      sub: 'at-idp',
      aud: `${w.idp.origin}/token`,
    });
  });

  it('an invalid key for it is reported by its option', async () => {
    const file = join(folder, 'no-key');
    await writeFile(file, 'canary');
    await using w = await world(issued, ['--idp-client-key', file]);
    const failure = JSON.stringify(await w.made.tools());
    expect(failure).toContain('--idp-client-key: expected');
    expect(failure).not.toContain('canary');
    expect(w.idp.to('/token')).toEqual([]);
  });

  it('exchanges the ID token at the identity provider, then presents the returned assertion', async () => {
    await using w = await world(issued);
    expect(await w.made.tools()).toEqual(['echo']);
    expect(Object.fromEntries(w.idp.tokenForms[0] ?? [])).toEqual({
      grant_type: exchange,
      requested_token_type: idJag,
      client_id: 'at-idp',
      audience: w.made.vendor.origin,
      resource: w.made.vendor.mcpUrl,
      subject_token: jwtNamed('aWQ'),
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    });
    expect(w.made.vendor.tokenForms[0]?.get('assertion')).toBe(jwtNamed('amFn'));
    expect(JSON.stringify(w.made.vendor.requests.entries)).not.toContain(jwtNamed('aWQ'));
    expect(JSON.stringify(w.idp.requests.entries)).not.toContain('hush');
  });

  it.each([
    ['an ordinary access token', { access_token: 'x', token_type: 'Bearer' }],
    [
      'another kind of token',
      { issued_token_type: 'urn:x', access_token: jwtNamed('eA'), token_type: 'N_A' },
    ],
    ['an error', { error: 'invalid_grant' }],
  ])('does not pass on %s from there', async (_name, answer) => {
    await using w = await world(answer);
    expect(await w.made.tools()).toMatchObject({ code: expect.any(Number) });
    expect(w.idp.to('/token')).toHaveLength(1);
    expect(w.made.vendor.to('/token')).toEqual([]);
  });
});
