import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRuntimeFolder } from '../../../src/store/files/runtime-folder.ts';
import type { AuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import type { FakeBrowser } from '../../peers/browsers/browser.ts';
import { type CommandEnd, runProgram } from '../../peers/hosts/command.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import type { PeerMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';

let home: TemporaryHome;
/** Where somebody can sign in; what they get there is carried over. */
let world: ProgramWorld;
let desk: TemporaryHome;
let browser: FakeBrowser;
let authority: AuthorizationServer;
let server: PeerMcpServer;

beforeEach(async () => {
  home = await createTemporaryHome();
  world = await createProgramWorld('follow');
  ({ home: desk, browser, authority, server } = world);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await home.close();
});

const run = (argv: readonly string[], extra: Record<string, string> = {}, stdin = ''): Promise<CommandEnd> =>
  runProgram(argv, home.env(extra), stdin);

/** Signs in at the desk and takes the credential away. */
async function exported(): Promise<string> {
  const env = desk.env({ BROWSER: browser.command });
  expect((await runProgram(['login', server.url], env)).code).toBe(0);
  const { code, stdout, stderr } = await runProgram(['tokens', 'export', server.url, '--debug'], env);
  expect(code).toBe(0);
  const { refresh_token: secret } = JSON.parse(stdout) as { refresh_token: string };
  expect(secret.length).toBeGreaterThan(10);
  expect(stderr).not.toContain(secret);
  return stdout;
}

/** The answer to a list, or to `initialize` where that is an error. */
async function listsThrough(args: readonly string[], env: Record<string, string>): Promise<string> {
  await using host = startRawHost([server.url, ...args], { env: home.env(env) });
  const initializeAnswer = await host.initialize();
  const isRefused = initializeAnswer.error !== undefined;
  const answer = isRefused
    ? initializeAnswer
    : await host.request('tools/list', undefined, { timeoutMs: 30_000 });
  host.endStdin();
  await host.closed;
  host.assertPure();
  return JSON.stringify(answer);
}

describe('no sign-in is possible', () => {
  it.each<[string, readonly string[], Record<string, string>]>([
    ['under CI', [], { CI: 'true', BROWSER: '/bin/false' }],
    ['because somebody said so', ['--non-interactive'], { BROWSER: '/bin/false' }],
  ])('%s: the bridge answers with the command to run; no listener, no registration', async (_, args, env) => {
    const answer = await listsThrough(args, env);
    const { message } = JSON.parse(answer).error;
    expect(message).toContain(`Run: ${process.execPath} ${PROGRAM} login ${server.url} --home ${home.state}`);
    expect(authority.counters).toMatchObject({ registrations: 0, authorizationRequests: 0 });
    expect(await readdir(join(home.state, 'credentials'))).toEqual([]);
    const login = await run(['login', server.url, ...args], env);
    expect(login).toMatchObject({ code: 3, stdout: '' });
  });

  it('started by npx: the command starts with npx, with the same package', async () => {
    const folder = join(home.folder, '.npm', '_npx', '0123456789abcdef');
    const modules = join(folder, 'node_modules');
    await mkdir(join(modules, '.bin'), { recursive: true });
    await symlink(dirname(dirname(PROGRAM)), join(modules, 'mcp-drawbridge'));
    const program = join(modules, '.bin', 'mcp-drawbridge');
    await symlink('../mcp-drawbridge/dist/launch.cjs', program);
    await writeFile(join(folder, 'package.json'), '{"_npx":{"packages":["mcp-drawbridge@0.1.0"]}}');
    const command = `npx -y mcp-drawbridge@0.1.0 login ${server.url} --home ${home.state}`;
    await using host = startRawHost([server.url, '--non-interactive'], { env: home.env(), program });
    expect((await host.initialize()).error?.message).toContain(`Run: ${command}`);
    const end = await runProgram(['token', server.url, '--non-interactive'], home.env(), '', program);
    expect(end.stderr).toContain(`Run: ${command}`);
  });

  it('recovers when a person runs the suggested command, in their own shell', async () => {
    const args = ['--scope', 'mcp:tools mcp:extra', '--profile', 'work', '--authorize-param', "x=it's $(me)"];
    await using host = startRawHost([server.url, '--non-interactive', ...args], { env: home.env() });
    const [, command = ''] = /Run: (.*)$/s.exec((await host.initialize()).error?.message ?? '') ?? [];
    const { MCP_DRAWBRIDGE_HOME: _, ...there } = home.env({ BROWSER: browser.command });
    const shell = spawn('sh', ['-c', command], { env: there });
    expect(await new Promise((resolve) => shell.once('close', resolve)), command).toBe(0);
    expect((await host.initialize()).result).toBeDefined();
    const list = await host.request('tools/list', undefined, { timeoutMs: 30_000 });
    expect(JSON.stringify(list.result)).toContain('echo');
  });
});

describe('a credential from elsewhere', () => {
  it('tokens import, from stdin: the bridge works, and refreshes the token by the same protocol', async () => {
    authority.accessTokenTtlSeconds = 1;
    const credential = await exported();
    authority.accessTokenTtlSeconds = 3600;
    await past(JSON.parse(credential).expires_at);
    const before = authority.counters.refreshPosts;
    const end = await run(['tokens', 'import'], {}, credential);
    expect(end).toMatchObject({ code: 0, stdout: '' });
    expect(end.stderr).toContain(server.url);
    const ends = await Promise.all(Array.from({ length: 4 }, () => run(['token', server.url])));
    expect(new Set(ends.map(({ code, stdout }) => `${code} ${stdout}`)).size).toBe(1);
    expect(ends[0]).toMatchObject({ code: 0, stdout: `${authority.tokens.newest?.token}\n` });
    expect(authority.counters).toMatchObject({ refreshPosts: before + 1, replays: 0, registrations: 1 });
    expect(await listsThrough([], {})).toContain('echo');
  });

  it('one without a token endpoint: it is discovered; one of another issuer is refused', async () => {
    const whole = JSON.parse(await exported()) as Record<string, unknown>;
    const { token_endpoint: endpoint, revocation_endpoint: _, ...bare } = whole;
    const file = join(home.folder, 'login.json');
    await writeFile(file, JSON.stringify({ ...bare, issuer: 'https://other.example' }));
    const refused = await run(['tokens', 'import', server.url, file]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('other.example');
    await writeFile(file, JSON.stringify(bare));
    expect((await run(['tokens', 'import', server.url, file])).code).toBe(0);
    const again = JSON.parse((await run(['tokens', 'export', server.url])).stdout);
    expect(again.token_endpoint).toBe(endpoint);
    expect(again.refresh_token).toBe(whole.refresh_token);
  });

  it('does not replace a login without --force', async () => {
    const credential = await exported();
    const other = JSON.stringify({ server: server.url, access_token: 'another-access-token' });
    expect((await run(['tokens', 'import'], {}, credential)).code).toBe(0);
    const kept = await run(['tokens', 'import'], {}, other);
    expect(kept.code).toBe(1);
    expect(kept.stderr).toContain('--force');
    expect((await run(['tokens', 'import', '--force'], {}, other)).code).toBe(0);
    expect((await run(['token', server.url])).stdout).toBe('another-access-token\n');
  });

  it.each([
    ['no JSON', '{"refresh_token":"s3cr3t-canary",}'],
    ['no token', '{"server":"https://x.example/","scope":"s3cr3t-canary"}'],
    ['a refresh token without its client', '{"refresh_token":"s3cr3t-canary"}'],
    ['a line break in a token', '{"access_token":"s3cr3t-canary\\nX: y"}'],
  ])('%s: exit 2, without showing it', async (_, text) => {
    const end = await run(['tokens', 'import', server.url], {}, text);
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).not.toContain('s3cr3t-canary');
  });

  it.each([
    ['tokens import', true],
    ['MCP_DRAWBRIDGE_CREDENTIALS', false],
  ])('%s with --resource: kept, used at each start, and sent with the refresh', async (_, byCommand) => {
    const { resource, ...bare } = JSON.parse(await exported()) as Record<string, unknown>;
    const text = JSON.stringify({ ...bare, expires_at: 1 });
    const args = ['--resource', server.url];
    if (byCommand) expect((await run(['tokens', 'import', ...args], {}, text)).code).toBe(0);
    const env: Record<string, string> = byCommand ? {} : { MCP_DRAWBRIDGE_CREDENTIALS: text };
    const before = authority.counters.refreshPosts;
    for (let start = 0; start < 3; start++) {
      expect(await listsThrough(['--non-interactive', ...args], env)).toContain('echo');
    }
    expect(authority.counters).toMatchObject({ refreshPosts: before + 1, replays: 0 });
    const refresh = authority.requests.entries.findLast(({ path }) => path.endsWith('/token'));
    expect(new URLSearchParams(refresh?.body).get('resource')).toBe(server.url);
    const names = await readdir(join(home.state, 'credentials'));
    expect(names.filter((name) => /\.(json|corrupt-.*)$/.test(name))).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}\.json$/),
    ]);
  });

  it('a credential that was issued for another resource than --resource: exit 2, and nothing is kept', async () => {
    const text = await exported();
    const args = ['--resource', `${server.url}/other`];
    const env = { MCP_DRAWBRIDGE_CREDENTIALS: text };
    await using host = startRawHost([server.url, ...args], { env: home.env(env) });
    const ends = [
      await run(['tokens', 'import', ...args], {}, text),
      await run(['token', server.url, ...args], env),
      { ...(await host.closed), stdout: '', stderr: host.stderr },
    ];
    for (const { code, stdout, stderr } of ends) {
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`--resource asks for "${server.url}/other"`);
    }
    expect(await readdir(join(home.state, 'credentials')).catch(() => [])).toEqual([]);
  });

  it('MCP_DRAWBRIDGE_TOKEN: sent unchanged, and a 401 is an error that says so', async () => {
    await exported();
    const token = authority.tokens.newest?.token ?? '';
    expect(await listsThrough([], { MCP_DRAWBRIDGE_TOKEN: token })).toContain('echo');
    expect((await run(['token', server.url], { MCP_DRAWBRIDGE_TOKEN: token })).stdout).toBe(`${token}\n`);
    const refused = await listsThrough([], { MCP_DRAWBRIDGE_TOKEN: 'wrong-token-canary' });
    expect(JSON.parse(refused).error.message).toContain('MCP_DRAWBRIDGE_TOKEN');
    expect(refused).not.toContain('wrong-token-canary');
    expect(authority.counters.registrations).toBe(1);
  });

  it('MCP_DRAWBRIDGE_CREDENTIALS: stored, refreshed once, and not reset by the next start', async () => {
    authority.accessTokenTtlSeconds = 1;
    const env = { MCP_DRAWBRIDGE_CREDENTIALS: await exported() };
    authority.accessTokenTtlSeconds = 3600;
    await past(JSON.parse(env.MCP_DRAWBRIDGE_CREDENTIALS).expires_at);
    const before = authority.counters.refreshPosts;
    expect(await listsThrough([], env)).toContain('echo');
    expect(await listsThrough([], env)).toContain('echo');
    expect(authority.counters).toMatchObject({ refreshPosts: before + 1, replays: 0 });
  });

  it('--store memory: used, and nothing is written to disk', async () => {
    const env = { MCP_DRAWBRIDGE_CREDENTIALS: await exported() };
    expect(await listsThrough(['--store', 'memory'], env)).toContain('echo');
    expect(await readdir(home.state).catch(() => [])).toEqual([]);
  });

  it('a read-only folder: the same, with one warning', async () => {
    const env = { MCP_DRAWBRIDGE_CREDENTIALS: await exported() };
    // Not even root makes a folder there.
    const nowhere = '/sys/mcp-drawbridge';
    await using host = startRawHost([server.url], {
      env: home.env({ ...env, MCP_DRAWBRIDGE_HOME: nowhere }),
    });
    await host.initialize();
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
    host.endStdin();
    expect((await host.closed).code).toBe(0);
    expect(host.stderr.match(/read-only/g)).toHaveLength(1);
    await rm((await findRuntimeFolder(nowhere)) ?? '', { recursive: true });
  });
});

describe('import-mcp-remote', () => {
  /** What mcp-remote 0.15 leaves behind after a sign-in. */
  async function mcpRemoteLogin(url: string, headers: Record<string, string> = {}): Promise<void> {
    const credential = JSON.parse(await exported());
    const names = Object.keys(headers).sort();
    const parts = [url, ...(names.length === 0 ? [] : [JSON.stringify(headers, names)])];
    const hash = createHash('md5').update(parts.join('|')).digest('hex');
    const folder = join(home.folder, '.mcp-auth', 'mcp-remote-v1');
    await mkdir(folder, { recursive: true });
    const { access_token, refresh_token, expires_at, client_id, issuer } = credential;
    const tokens = {
      access_token,
      refresh_token,
      token_type: 'Bearer',
      expires_in: 3600,
      expires_at: expires_at * 1000,
    };
    await writeFile(join(folder, `${hash}_tokens.json`), JSON.stringify(tokens));
    const client = { client_id, redirect_uris: ['http://localhost:3334/oauth/callback'], issuer };
    await writeFile(join(folder, `${hash}_client_info.json`), JSON.stringify(client));
  }

  it('imports registration and tokens: no sign-in, no registration, and a refresh works', async () => {
    await mcpRemoteLogin(server.url);
    const end = await run(['import-mcp-remote', server.url]);
    expect(end).toMatchObject({ code: 0, stdout: '' });
    expect(await listsThrough([], {})).toContain('echo');
    authority.tokens.revokeAll();
    expect(await listsThrough([], {})).toContain('echo');
    expect(authority.counters).toMatchObject({ registrations: 1, refreshPosts: 1, codeExchanges: 1 });
    const [file] = await readdir(join(home.folder, '.mcp-auth', 'mcp-remote-v1'));
    expect(await readFile(join(home.folder, '.mcp-auth', 'mcp-remote-v1', file as string), 'utf8')).not.toBe(
      '',
    );
  });

  it('finds a login whose name depends on headers; says so if there is none', async () => {
    await mcpRemoteLogin(server.url, { 'X-Tenant': 'a' });
    const none = await run(['import-mcp-remote', server.url]);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toContain('mcp-remote has no login');
    expect((await run(['import-mcp-remote', server.url, '--header', 'X-Tenant: a'])).code).toBe(0);
    expect((await run(['token', server.url])).code).toBe(0);
  });

  it('with --resource: kept under that name, and used', async () => {
    await mcpRemoteLogin(server.url);
    const args = ['--resource', server.url];
    expect((await run(['import-mcp-remote', server.url, ...args])).code).toBe(0);
    const ends = [await run(['token', server.url, ...args]), await run(['token', server.url, ...args])];
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  });
});

/** Until the clock is past a second that a credential names. */
async function past(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, (seconds + 1) * 1000 - Date.now() + 50)));
}
