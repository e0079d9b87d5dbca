import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jwtNamed } from '../../peers/authorization-servers/jwt.ts';
import { Command, type CommandEnd, runProgram } from '../../peers/hosts/command.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { hasRedis } from '../../peers/processes/tools.ts';
import { RedisServer } from '../../peers/redis/redis-server.ts';
import { refusal, Vendor, type VendorHabits } from '../../peers/vendors/vendor.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const SECRET = 'client-secret-canary';
const service = ['--grant', 'client_credentials', '--client-id', 'service', '--client-secret-env', 'SECRET'];

/** A vendor, and a home of its own that nobody has signed in from: these tests run side by side. */
class GrantWorld implements AsyncDisposable {
  readonly vendor: Vendor;
  readonly home: TemporaryHome;

  private constructor(vendor: Vendor, home: TemporaryHome) {
    this.vendor = vendor;
    this.home = home;
  }

  static async create(habits: VendorHabits): Promise<GrantWorld> {
    return new GrantWorld(await Vendor.start(habits), await createTemporaryHome());
  }

  get env(): Record<string, string> {
    return this.home.env({ SECRET });
  }

  run(command: string, ...args: string[]): Promise<CommandEnd> {
    return runProgram([...command.split(' '), this.vendor.mcpUrl, ...args], this.env);
  }

  async file(name: string, text: string): Promise<string> {
    const path = join(this.home.folder, name);
    await writeFile(path, text);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vendor[Symbol.asyncDispose]();
    await this.home.close();
  }
}

/** Nobody is ever redirected there; tokens for this grant alone, and a place to revoke them. */
function grants(grantType: string, expiresIn = 3600, more: VendorHabits = {}): VendorHabits {
  return {
    metadata: ({ origin }) => ({
      authorization_endpoint: undefined,
      code_challenge_methods_supported: undefined,
      registration_endpoint: undefined,
      response_types_supported: [],
      revocation_endpoint: `${origin}/revoke`,
    }),
    token: (form, _request, vendor) =>
      form.get('grant_type') === grantType
        ? vendor.issue(form.get('scope') ?? undefined, { expires_in: expiresIn, refresh_token: undefined })
        : undefined,
    other: ({ path }) => (path === '/revoke' ? { body: {} } : undefined),
    ...more,
  };
}

describe.concurrent('grants without a sign-in', () => {
  it('token: one token for all commands and the bridge, requested with the scope of the challenge', async () => {
    const mcp: VendorHabits['mcp'] = (_rpc, request, vendor) =>
      vendor.issuedTo(request) === undefined ? vendor.unauthorized(', scope="read"') : undefined;
    await using world = await GrantWorld.create(grants('client_credentials', 3600, { mcp }));
    const ends = await Promise.all([1, 2, 3].map(() => world.run('token', ...service)));
    expect(ends.map(({ code, stdout }) => `${code} ${stdout}`)).toEqual(Array(3).fill('0 access-1\n'));
    expect((await world.run('token', '--header', ...service)).stdout).toBe(
      'Authorization: Bearer access-1\n',
    );
    await using host = startRawHost([world.vendor.mcpUrl, ...service], { env: world.env });
    await host.initialize();
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
    expect(world.vendor.tokenForms.map((form) => form.get('scope'))).toEqual(['read']);
    for (const { stderr } of ends) expect(stderr).not.toContain('access-1');
  });

  it('token: a new one when the last has ended', async () => {
    await using world = await GrantWorld.create(grants('client_credentials', 1));
    expect((await world.run('token', ...service)).stdout).toBe('access-1\n');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const [only] = JSON.parse((await runProgram(['status', '--json'], world.env)).stdout);
    expect(only).toMatchObject({ state: 'expired, renewable', grant: 'client_credentials' });
    expect((await world.run('token', ...service)).stdout).toBe('access-2\n');
  });

  it('login: says that none is needed, and tries the grant whatever is stored', async () => {
    let isMended = true;
    const token: VendorHabits['token'] = (_form, _request, vendor) =>
      isMended ? vendor.issue() : refusal('invalid_client', `no ${SECRET}`, 401);
    await using world = await GrantWorld.create(grants('client_credentials', 3600, { token }));
    const first = await world.run('login', ...service);
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toMatch(/No sign-in to .*client_credentials[\s\S]*it works/);
    isMended = false;
    const second = await world.run('login', ...service);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain('invalid_client');
    expect(second.stderr).not.toContain(SECRET);
    // What was there is as good as before.
    expect((await world.run('token', ...service)).stdout).toBe('access-1\n');
  });

  it('status, tokens export and logout include it', async () => {
    await using world = await GrantWorld.create(grants('client_credentials'));
    const exported = await world.run('tokens export', ...service);
    expect(JSON.parse(exported.stdout)).toMatchObject({ access_token: 'access-1', client_id: 'service' });
    expect(exported.stdout).not.toContain(SECRET);
    const { stdout } = await runProgram(['status'], world.env);
    expect(stdout).toMatch(/GRANT[\s\S]*signed in +client_credentials/);
    expect(stdout).not.toContain('access-1');
    expect(await world.run('logout', ...service)).toMatchObject({ code: 0 });
    const [revoked] = world.vendor.to('/revoke');
    expect(new URLSearchParams(revoked?.body).get('token')).toBe('access-1');
    expect(revoked?.headers.authorization).toMatch(/^Basic /);
    expect((await runProgram(['status'], world.env)).stdout).toBe('No login.\n');
  });

  it('jwt-bearer: the assertion of the file; a missing file is named, and nothing is sent', async () => {
    await using world = await GrantWorld.create(grants(JWT_BEARER));
    const file = await world.file('assertion', jwtNamed('d29ya2xvYWQ'));
    const args = ['--grant', 'jwt-bearer', '--assertion-file', file];
    expect((await world.run('token', ...args)).stdout).toBe('access-1\n');
    expect(world.vendor.tokenForms[0]?.get('assertion')).toBe(jwtNamed('d29ya2xvYWQ'));
    const nowhere = ['--grant', 'jwt-bearer', '--assertion-file', `${file}-gone`, '--profile', 'other'];
    const missing = await world.run('login', ...nowhere);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('assertion-gone');
    expect(world.vendor.to('/token')).toHaveLength(1);
  });

  it('enterprise: through the identity provider', async () => {
    const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
    const issued = {
      issued_token_type: idJag,
      access_token: jwtNamed('amFn'),
      token_type: 'N_A',
      expires_in: 300,
    };
    await using idp = await Vendor.start({ token: () => ({ body: issued }) });
    await using world = await GrantWorld.create(grants(JWT_BEARER));
    const file = await world.file('id-token', jwtNamed('aWQ'));
    const args = [
      '--grant',
      'enterprise',
      '--client-id',
      'app',
      '--client-secret-env',
      'SECRET',
      '--id-token-file',
      file,
      '--idp-client-id',
      'at-idp',
      '--idp-token-endpoint',
      `${idp.origin}/token`,
    ];
    expect((await world.run('login', ...args)).code).toBe(0);
    expect((await world.run('token', ...args)).stdout).toBe('access-1\n');
    expect(world.vendor.tokenForms.map((form) => form.get('assertion'))).toEqual([jwtNamed('amFn')]);
  });
});

describe.concurrent('device_code', () => {
  const polled = { pending: refusal('authorization_pending'), denied: refusal('access_denied') };

  /** `entered`: what became of the code. */
  function device(change: object, entered: () => 'pending' | 'denied' | 'granted'): VendorHabits {
    return {
      metadata: ({ origin }) => ({
        device_authorization_endpoint: `${origin}/device`,
        authorization_endpoint: undefined,
        code_challenge_methods_supported: undefined,
      }),
      other: ({ path }, { origin }) => {
        const uri = `${origin}/activate`;
        const answer = {
          device_code: 'device-secret',
          user_code: 'ABCD-EFGH',
          verification_uri: uri,
          ...change,
        };
        return path === '/device' ? { body: answer } : undefined;
      },
      token: (form, _request, vendor) => {
        if (form.get('grant_type') !== DEVICE_CODE) return undefined;
        const state = entered();
        return state === 'granted' ? vendor.issue() : polled[state];
      },
    };
  }
  const args = ['--grant', 'device_code'];

  it('login: shows address and code, in status as well; ends when the code was entered', async () => {
    let isEntered = false;
    await using world = await GrantWorld.create(device({}, () => (isEntered ? 'granted' : 'pending')));
    const { mcpUrl, origin } = world.vendor;
    const login = new Command(['login', mcpUrl, ...args], world.env);
    await login.said(/ABCD-EFGH/);
    const [waiting] = JSON.parse((await runProgram(['status', '--json'], world.env)).stdout);
    expect(waiting).toMatchObject({ server: mcpUrl, state: 'sign-in needed' });
    expect(waiting.signIn).toMatchObject({ address: `${origin}/activate`, userCode: 'ABCD-EFGH' });
    const table = (await runProgram(['status'], world.env)).stdout;
    expect(table).toContain(`open:\n${origin}/activate\nand enter the code: ABCD-EFGH\n`);
    isEntered = true;
    const end = await login.ended;
    expect(end).toMatchObject({ code: 0, stdout: '' });
    expect(end.stderr).toContain(`open this address:\n${origin}/activate\nand enter the code: ABCD-EFGH\n`);
    expect(end.stderr).not.toMatch(/device-secret|already contains the code/);
    expect((await world.run('token', ...args)).stdout).toBe('access-1\n');
    expect((await world.run('token')).code).toBe(3);
  });

  it.skipIf(!hasRedis())(
    'in a store that machines share: each bridge shows the same address and code, and all are served once it was entered',
    async ({ expect }) => {
      let isEntered = false;
      await using world = await GrantWorld.create(device({}, () => (isEntered ? 'granted' : 'pending')));
      await using engine = await RedisServer.start();
      const elsewhere = await createTemporaryHome();
      const shared = {
        MCP_DRAWBRIDGE_STORE: engine.url,
        MCP_DRAWBRIDGE_STORE_KEY: randomBytes(32).toString('base64'),
      };
      const { mcpUrl, origin } = world.vendor;
      try {
        await using one = startRawHost([mcpUrl, ...args], { env: { ...world.env, ...shared } });
        await using other = startRawHost([mcpUrl, ...args], { env: elsewhere.env(shared) });
        const calls = [one, other].map(async (host) => {
          await host.initialize();
          return host.request('tools/call', { name: 'echo' }, { timeoutMs: 60_000 });
        });
        for (const host of [one, other])
          await expect
            .poll(() => host.stderr, { timeout: 30_000 })
            .toContain(`enter the code ABCD-EFGH at this address:\n  ${origin}/activate\n`);
        isEntered = true;
        for (const { result } of await Promise.all(calls)) expect(JSON.stringify(result)).toContain('called');
        expect(world.vendor.to('/device')).toHaveLength(1);
      } finally {
        await elsewhere.close();
      }
    },
  );

  it('login: an address that contains the code is offered too; a refusal ends it', async () => {
    const complete = 'https://as.example/activate?user_code=ABCD-EFGH';
    await using world = await GrantWorld.create(
      device({ verification_uri_complete: complete }, () => 'denied'),
    );
    const end = await world.run('login', ...args);
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain(`/activate\nand enter the code: ABCD-EFGH\n`);
    expect(end.stderr).toContain(`already contains the code:\n${complete}\n`);
    expect(end.stderr).toContain('declined');
    expect(world.vendor.to('/token')).toHaveLength(1);
  });
});
