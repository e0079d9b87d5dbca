import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from '../../peers/vendors/vendor.ts';
import { createVendorWorld } from '../../peers/worlds/vendor-world.ts';

/** Every character that form encoding, Base64 or a shell could break. */
const SECRET = 'se:cr%et+ & /=\'"';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-client-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const noRegistration = () => ({ registration_endpoint: undefined });

describe('a client registered by hand', () => {
  it('without a secret: sends its id everywhere, registers nothing, and refreshes the login', async () => {
    await using world = await createVendorWorld({}, ['--client-id', 'by hand/1']);
    expect(await world.tools()).toEqual(['echo']);
    const [query] = world.vendor.authorizeQueries;
    expect(query?.get('client_id')).toBe('by hand/1');
    expect(world.vendor.tokenForms[0]?.get('client_id')).toBe('by hand/1');
    expect(world.vendor.to('/register')).toEqual([]);
    world.vendor.forgetAccessTokens();
    expect((await world.bridge.request(2, 'tools/list')).json.result).toBeDefined();
    expect(world.vendor.tokenForms.map((form) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
    ]);
    expect(world.vendor.tokenForms[1]?.get('client_id')).toBe('by hand/1');
    expect(world.opened).toHaveLength(1);
  });

  it.each<[string, readonly string[] | undefined, 'basic' | 'post']>([
    ['nothing is advertised', undefined, 'basic'],
    ['both are', ['client_secret_post', 'client_secret_basic'], 'basic'],
    ['only post is', ['client_secret_post'], 'post'],
  ])('with a secret, when %s: %s → %s', async (_name, methods, expected) => {
    const habits = {
      metadata: () => ({ ...noRegistration(), token_endpoint_auth_methods_supported: methods }),
    };
    await using world = await createVendorWorld(
      habits,
      ['--client-id', 'the:id', '--client-secret-env', 'THE_SECRET'],
      {
        env: { THE_SECRET: SECRET },
      },
    );
    expect(await world.tools()).toEqual(['echo']);
    world.vendor.forgetAccessTokens();
    expect((await world.bridge.request(2, 'tools/list')).json.result).toBeDefined();
    const requests = world.vendor.to('/token');
    expect(requests).toHaveLength(2);
    for (const { headers, body } of requests) {
      const form = new URLSearchParams(body);
      if (expected === 'post') {
        expect(headers.authorization).toBeUndefined();
        expect([form.get('client_id'), form.get('client_secret')]).toEqual(['the:id', SECRET]);
        continue;
      }
      const [scheme, credentials = ''] = (headers.authorization ?? '').split(' ');
      expect(scheme).toBe('Basic');
      const parts = Buffer.from(credentials, 'base64').toString().split(':');
      // RFC 6749 §2.3.1, undone as a server undoes it.
      expect(parts.map((part) => new URLSearchParams(`x=${part}`).get('x'))).toEqual(['the:id', SECRET]);
      expect(form.has('client_secret')).toBe(false);
    }
    expect(JSON.stringify(await world.record())).not.toContain(JSON.stringify(SECRET).slice(1, -1));
    expect((await world.record())?.client).toEqual({ clientId: 'the:id', source: 'static' });
  });

  it("strips only the editor's line break from a secret file", async () => {
    const file = join(folder, 'secret');
    await writeFile(file, `${SECRET}\r\n`);
    const habits = { metadata: () => ({ token_endpoint_auth_methods_supported: ['client_secret_post'] }) };
    await using world = await createVendorWorld(habits, ['--client-id', 'c', '--client-secret-file', file]);
    expect(await world.tools()).toEqual(['echo']);
    expect(world.vendor.tokenForms[0]?.get('client_secret')).toBe(SECRET);
  });

  it('reports a client unknown to the server without showing the secret, and registers nothing', async () => {
    const habits = { token: () => refusal('invalid_client', `no ${SECRET}`, 401) };
    await using world = await createVendorWorld(habits, ['--client-id', 'c', '--client-secret', SECRET]);
    const failure = JSON.stringify(await world.tools());
    expect(failure).toContain('invalid_client');
    expect(failure).toContain('Check --client-id');
    expect(failure).not.toContain(SECRET.slice(0, 6));
    expect(world.vendor.to('/register')).toEqual([]);
    expect(world.vendor.to('/token')).toHaveLength(1);
  });
});

describe('private_key_jwt', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const claimsOf = (assertion: string) => {
    const [header = '', claims = '', signature = ''] = assertion.split('.');
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    const isSigned = verify(
      'sha256',
      Buffer.from(`${header}.${claims}`),
      key,
      Buffer.from(signature, 'base64url'),
    );
    expect(isSigned).toBe(true);
    return JSON.parse(Buffer.from(claims, 'base64url').toString());
  };
  const keyFile = async () => {
    const file = join(folder, 'key.pem');
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return file;
  };
  const metadata = () => ({ token_endpoint_auth_methods_supported: ['private_key_jwt'] });

  it('signs each token request separately, for the issuer', async () => {
    await using world = await createVendorWorld({ metadata }, [
      '--client-id',
      'c',
      '--client-key',
      await keyFile(),
    ]);
    expect(await world.tools()).toEqual(['echo']);
    world.vendor.forgetAccessTokens();
    expect((await world.bridge.request(2, 'tools/list')).json.result).toBeDefined();
    const claims = world.vendor.tokenForms.map((form) => claimsOf(form.get('client_assertion') ?? ''));
    expect(claims).toHaveLength(2);
    for (const each of claims) {
      expect(each).toMatchObject({ iss: 'c', sub: 'c', aud: world.vendor.origin });
      expect(each.exp - each.iat).toBe(120);
    }
    expect(claims[0].jti).not.toBe(claims[1].jti);
  });

  it("retries once with the server's time when the clocks differ", async () => {
    const ahead = 3_600_000;
    const date = () => new Date(Date.now() + ahead).toUTCString();
    await using world = await createVendorWorld(
      {
        metadata,
        token: (form) => {
          const { iat } = claimsOf(form.get('client_assertion') ?? '');
          if (Math.abs(iat * 1000 - Date.now() - ahead) < 60_000) return undefined;
          return { ...refusal('invalid_client', 'assertion expired', 401), headers: { date: date() } };
        },
      },
      ['--client-id', 'c', '--client-key', await keyFile()],
    );
    expect(await world.tools()).toEqual(['echo']);
    expect(world.vendor.to('/token')).toHaveLength(2);
  });

  it('does not retry an assertion that was refused although its time is right', async () => {
    const token = () => refusal('invalid_client', 'unknown key', 401);
    await using world = await createVendorWorld({ metadata, token }, [
      '--client-id',
      'c',
      '--client-key',
      await keyFile(),
    ]);
    expect(JSON.stringify(await world.tools())).toContain('invalid_client');
    expect(world.vendor.to('/token')).toHaveLength(1);
  });
});

describe('a Client ID Metadata Document', () => {
  const url = 'https://client.example/drawbridge.json';

  it('is the client id where the server supports it', async () => {
    const metadata = () => ({ client_id_metadata_document_supported: true });
    await using world = await createVendorWorld({ metadata }, ['--client-metadata-url', url]);
    expect(await world.tools()).toEqual(['echo']);
    expect(world.vendor.authorizeQueries[0]?.get('client_id')).toBe(url);
    expect(world.vendor.tokenForms[0]?.get('client_id')).toBe(url);
    expect(world.vendor.to('/register')).toEqual([]);
  });

  it('is not used where the server does not advertise support: a client is registered', async () => {
    await using world = await createVendorWorld({}, ['--client-metadata-url', url]);
    expect(await world.tools()).toEqual(['echo']);
    expect(world.vendor.tokenForms[0]?.get('client_id')).toBe('registered-client');
  });
});

describe('the requested resource and scope', () => {
  it('--no-resource: sends no resource when signing in or refreshing', async () => {
    await using world = await createVendorWorld({}, ['--no-resource']);
    expect(await world.tools()).toEqual(['echo']);
    world.vendor.forgetAccessTokens();
    await world.bridge.request(2, 'tools/list');
    expect(world.vendor.authorizeQueries.every((query) => !query.has('resource'))).toBe(true);
    expect(world.vendor.tokenForms.map((form) => form.get('resource'))).toEqual([null, null]);
  });

  it('without it: sends the resource byte for byte as the metadata has it', async () => {
    const resourceMetadata = (vendor: { origin: string }) => ({ resource: `${vendor.origin}/MCP/../mcp` });
    await using world = await createVendorWorld({ resourceMetadata });
    expect(await world.tools()).toEqual(['echo']);
    const expected = `${world.vendor.origin}/MCP/../mcp`;
    expect(world.vendor.authorizeQueries.at(-1)?.get('resource')).toBe(expected);
    expect(world.vendor.tokenForms[0]?.get('resource')).toBe(expected);
  });

  it('--authorize-param applies to the authorization endpoint only', async () => {
    await using world = await createVendorWorld({}, [
      '--authorize-param',
      'audience=a b',
      '--authorize-param',
      'x=1',
    ]);
    expect(await world.tools()).toEqual(['echo']);
    const query = world.vendor.authorizeQueries.at(-1);
    expect([query?.get('audience'), query?.get('x')]).toEqual(['a b', '1']);
    expect(world.vendor.tokenForms[0]?.has('audience')).toBe(false);
  });
});

describe('--use-id-token', () => {
  const idToken = (name: string, exp: number) =>
    `e30.${Buffer.from(JSON.stringify({ sub: name, exp })).toString('base64url')}.c2ln`;
  const soon = Math.floor(Date.now() / 1000) + 900;

  it('sends the ID token in place of the access token, also after a refresh', async () => {
    const shown: (string | undefined)[] = [];
    let number = 0;
    let valid = idToken('person-0', soon);
    const args = ['--use-id-token', '--scope', 'openid'];
    await using world = await createVendorWorld(
      {
        token: (form, _request, vendor) => {
          if (form.get('grant_type') === 'authorization_code') number = 0;
          valid = idToken(`person-${number++}`, soon);
          return vendor.issue('openid', { id_token: valid });
        },
        mcp: (rpc, request, vendor) => {
          shown.push(request.headers.authorization);
          return request.headers.authorization === `Bearer ${valid}`
            ? vendor.answer(rpc)
            : vendor.unauthorized();
        },
      },
      args,
    );
    expect(await world.tools()).toEqual(['echo']);
    const { expiresAt, obtainedAt } = (await world.record())?.tokens ?? {};
    expect((expiresAt ?? 0) - (obtainedAt ?? 0)).toBeLessThanOrEqual(900_000);
    valid = 'revoked';
    expect((await world.bridge.request(2, 'tools/list')).json.result).toBeDefined();
    expect(world.opened).toHaveLength(1);
    expect(shown.join()).not.toContain('access-');
  });

  it('names the missing scope when no ID token is returned', async () => {
    await using world = await createVendorWorld({}, ['--use-id-token']);
    expect(JSON.stringify(await world.tools())).toContain('openid');
  });
});
