import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkProof } from '../../../peers/authorization-servers/dpop-proofs.ts';
import { jwtNamed } from '../../../peers/authorization-servers/jwt.ts';
import { fastClock } from '../../../peers/net/fast-clock.ts';
import { refusal, Vendor, type VendorHabits } from '../../../peers/vendors/vendor.ts';
import { createVendorWorld } from '../../../peers/worlds/vendor-world.ts';

/** A server that asks for a key and an authorization server that binds to keys, in words; what it makes of proofs the test says. */
const asks: VendorHabits = {
  metadata: () => ({ dpop_signing_alg_values_supported: ['RS256', 'ES384', 'ES256'] }),
  mcp: (_rpc, request, vendor) => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    const isGood = vendor.issued.some(({ accessToken }) => accessToken === token);
    const wwwAuthenticate = `DPoP algs="ES256", resource_metadata="${vendor.origin}/.well-known/oauth-protected-resource/mcp"`;
    if (scheme === 'DPoP' && isGood) return undefined;
    return scheme === 'Bearer' && isGood
      ? undefined
      : { status: 401, headers: { 'www-authenticate': wwwAuthenticate } };
  },
};
/** What `asks` lets pass is not looked at again. */
const served = (habits: VendorHabits): VendorHabits => ({
  ...habits,
  mcp: (rpc, request, vendor) => habits.mcp?.(rpc, request, vendor) ?? vendor.answer(rpc),
});
const typed =
  (type: string): NonNullable<VendorHabits['token']> =>
  (form, _request, vendor) =>
    form.get('grant_type') === 'refresh_token' ? undefined : vendor.issue(undefined, { token_type: type });
const answering = (type: string) => served({ ...asks, token: typed(type) });

async function file(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-dpop-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'file'), text);
  return join(folder, 'file');
}

/** Of the last request to the token endpoint. */
function proofOf(vendor: Vendor) {
  const { method = '', headers } = vendor.to('/token').at(-1) ?? {};
  const proof = headers?.dpop as string | undefined;
  return checkProof({ method, url: `${vendor.origin}/token`, proof, now: Date.now() });
}

describe("the token endpoint's response to a proof (RFC 9449 §5)", () => {
  it('sends a bound token with the DPoP scheme', async () => {
    await using world = await createVendorWorld(answering('dPoP'));
    expect(await world.tools()).toEqual(['echo']);
    expect(proofOf(world.vendor)).toMatchObject({ kind: 'good' });
    expect(world.vendor.to('/mcp').at(-1)?.headers.authorization).toMatch(/^DPoP access-/);
    expect(await world.record()).toMatchObject({ tokens: { tokenType: 'DPoP' }, dpopKey: { alg: 'ES256' } });
  });

  it('sends a bearer token as such, and keeps the key for the refresh token', async () => {
    await using world = await createVendorWorld(answering('Bearer'));
    expect(await world.tools()).toEqual(['echo']);
    expect(world.vendor.to('/mcp').at(-1)?.headers).toMatchObject({
      authorization: expect.stringMatching(/^Bearer /),
    });
    expect(world.vendor.to('/mcp').some(({ headers }) => 'dpop' in headers)).toBe(false);
    const record = await world.record();
    world.vendor.forgetAccessTokens();
    expect((await world.bridge.request(1, 'tools/list')).json.result).toBeDefined();
    expect(world.vendor.tokenForms.at(-1)?.get('grant_type')).toBe('refresh_token');
    expect(proofOf(world.vendor)).toMatchObject({ kind: 'good' });
    expect((await world.record())?.dpopKey).toEqual(record?.dpopKey);
    expect(world.opened).toHaveLength(1);
  });

  it.each(['Bearer', ''])(
    '--dpop always refuses a token of the type %j, and does not keep it',
    async (type) => {
      await using world = await createVendorWorld(answering(type), ['--dpop', 'always']);
      expect(JSON.stringify(await world.tools())).toContain('of the type');
      expect(await world.record()).toBeUndefined();
      expect(world.vendor.to('/mcp').some(({ headers }) => 'authorization' in headers)).toBe(false);
    },
  );

  it('refuses a bound token in response to a request without a proof', async () => {
    await using world = await createVendorWorld(answering('DPoP'), ['--dpop', 'never']);
    expect(JSON.stringify(await world.tools())).toContain('DPoP');
    expect(await world.record()).toBeUndefined();
  });

  it("retries once with the server's time when the clocks differ", async () => {
    const ahead = Date.now() + 3_600_000;
    const habits: VendorHabits = {
      token: (_form, { headers }, vendor) => {
        const [, claims = ''] = String(headers.dpop).split('.');
        const { iat } = JSON.parse(Buffer.from(claims, 'base64url').toString());
        if (Math.abs(iat * 1000 - ahead) < 60_000) return vendor.issue(undefined, { token_type: 'DPoP' });
        const date = new Date(ahead).toUTCString();
        return { ...refusal('invalid_dpop_proof'), headers: { date } };
      },
    };
    await using world = await createVendorWorld(served({ ...asks, ...habits }));
    expect(await world.tools()).toEqual(['echo']);
    expect(world.vendor.to('/token')).toHaveLength(2);
  });

  it('explains a refused proof', async () => {
    const token = () => refusal('invalid_dpop_proof', 'iat is too old');
    await using world = await createVendorWorld(served({ ...asks, token }));
    const failure = JSON.stringify(await world.tools());
    expect(failure).toContain('iat is too old');
    expect(failure).toContain('clock of this machine');
    expect(world.vendor.to('/token')).toHaveLength(1);
  });
});

it('a request for more scope with the DPoP scheme: one more sign-in, and the new token is bound too', async () => {
  const habits: VendorHabits = {
    token: (_form, _request, vendor) => {
      const scope = vendor.authorizeQueries.at(-1)?.get('scope') ?? undefined;
      return vendor.issue(scope, { token_type: 'DPoP' });
    },
    mcp: (rpc, request, vendor) => {
      const refused = asks.mcp?.(rpc, request, vendor);
      if (refused !== undefined || rpc.method !== 'tools/call') return refused;
      const token = request.headers.authorization?.split(' ')[1];
      const { scope } = vendor.issued.find(({ accessToken }) => accessToken === token) ?? {};
      const headers = { 'www-authenticate': 'DPoP error="insufficient_scope", scope="write", algs="ES256"' };
      return scope === 'write' ? undefined : { status: 403, headers };
    },
  };
  await using world = await createVendorWorld(served({ ...asks, ...habits }));
  expect(await world.tools()).toEqual(['echo']);
  const { json } = await world.bridge.request(1, 'tools/call', { name: 'echo' });
  expect(json.result).toBeDefined();
  expect(world.opened).toHaveLength(2);
  expect(await world.record()).toMatchObject({ tokens: { tokenType: 'DPoP', scope: 'write' } });
  expect(world.vendor.to('/mcp').at(-1)?.headers.authorization).toMatch(/^DPoP /);
});

describe('the other grants', () => {
  it('device code: each poll has a new proof', async () => {
    let polls = 0;
    const device: VendorHabits = {
      ...asks,
      metadata: (vendor) => ({
        ...asks.metadata?.(vendor),
        device_authorization_endpoint: `${vendor.origin}/device`,
      }),
      other: ({ path }, vendor) => {
        const codes = { device_code: 'd', user_code: 'ABCD', verification_uri: `${vendor.origin}/activate` };
        return path === '/device' ? { body: { ...codes, interval: 5 } } : undefined;
      },
      token: (_form, _request, vendor) =>
        polls++ === 0 ? refusal('authorization_pending') : vendor.issue(undefined, { token_type: 'DPoP' }),
    };
    const how = { clock: fastClock(20) };
    await using world = await createVendorWorld(served(device), ['--grant', 'device_code'], how);
    expect(await world.tools()).toEqual(['echo']);
    const proofs = world.vendor.to('/token').map(({ headers }) => headers.dpop);
    expect(new Set(proofs).size).toBe(2);
    expect(proofOf(world.vendor)).toMatchObject({ kind: 'good' });
    expect((await world.record())?.tokens?.tokenType).toBe('DPoP');
  });

  it('client credentials: the token is bound', async () => {
    const args = ['--grant', 'jwt-bearer', '--assertion-file', await file(jwtNamed('d2w'))];
    await using world = await createVendorWorld(answering('DPoP'), args);
    expect(await world.tools()).toEqual(['echo']);
    expect(proofOf(world.vendor)).toMatchObject({ kind: 'good' });
  });

  it('enterprise: only the last step is bound; the identity provider receives no proof', async () => {
    const issued_token_type = 'urn:ietf:params:oauth:token-type:id-jag';
    const body = { issued_token_type, access_token: jwtNamed('amFn'), token_type: 'N_A', expires_in: 300 };
    await using idp = await Vendor.start({ token: () => ({ body }) });
    await using world = await createVendorWorld(answering('DPoP'), [
      '--grant',
      'enterprise',
      '--client-id',
      'app',
      '--id-token-file',
      await file(jwtNamed('aWQ')),
      '--idp-client-id',
      'at-idp',
      '--idp-token-endpoint',
      `${idp.origin}/token`,
    ]);
    expect(await world.tools()).toEqual(['echo']);
    expect(proofOf(world.vendor)).toMatchObject({ kind: 'good' });
    expect(idp.to('/token')).toHaveLength(1);
    expect(idp.to('/token')[0]?.headers.dpop).toBeUndefined();
  });
});
