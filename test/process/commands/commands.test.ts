import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import type { FakeBrowser } from '../../peers/browsers/browser.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { faults } from '../../peers/faults/faults.ts';
import { Command, type CommandEnd, runProgram } from '../../peers/hosts/command.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import type { PeerMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import type { TemporaryHome } from '../../peers/processes/home.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';

let world: ProgramWorld;
let home: TemporaryHome;
let browser: FakeBrowser;
let authority: AuthorizationServer;
let server: PeerMcpServer;
/** How many were opened in all, where a test says it. */
let tabs: number | undefined;

beforeEach(async () => {
  tabs = undefined;
  world = await createProgramWorld('follow');
  ({ home, browser, authority, server } = world);
});
afterEach(async () => {
  if (tabs !== undefined) expect(browser.opened).toHaveLength(tabs);
  await world[Symbol.asyncDispose]();
});

const env = (extra: Record<string, string> = {}) => home.env({ BROWSER: browser.command, ...extra });
const run = (argv: readonly string[], extra: Record<string, string> = {}, stdin = ''): Promise<CommandEnd> =>
  runProgram(argv, env(extra), stdin);

async function signedIn(): Promise<void> {
  const { code, stderr } = await run(['login', server.url]);
  expect(stderr).toContain('Signed in');
  expect(code).toBe(0);
  await browser.setMode('ignore');
  tabs = 1;
}

async function record(): Promise<{ tokens: Record<string, unknown>; client: Record<string, unknown> }> {
  const folder = join(home.state, 'credentials');
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
  expect(names).toHaveLength(1);
  return JSON.parse(await readFile(join(folder, names[0] as string), 'utf8'));
}

/** Everything the program has said but on stdout: searched for canaries (.github/SECURITY.md, "Attacks"). */
async function said(...ends: readonly CommandEnd[]): Promise<string> {
  const logs = join(home.state, 'logs');
  const names = await readdir(logs).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(join(logs, name), 'utf8')));
  return [...ends.map(({ stderr }) => stderr), ...texts].join('\n');
}

describe('login', () => {
  it('signs in once with the address on stderr; then the bridge needs no sign-in, and a second login does nothing', async () => {
    const first = await run(['login', server.url]);
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toContain(authority.issuer);
    expect(browser.opened).toHaveLength(1);
    const second = await run(['login', server.url]);
    expect(second.code).toBe(0);
    expect(second.stderr).toContain('already');
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
    await using host = startRawHost([server.url], { env: env() });
    await host.initialize();
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
    expect(browser.opened).toHaveLength(1);
  });

  it('a token that the server refuses is refreshed, and no page opens', async () => {
    await signedIn();
    authority.tokens.revokeAll();
    const again = await run(['login', server.url]);
    expect(again).toMatchObject({ code: 0, stdout: '' });
    expect(again.stderr).toContain('already signed in');
    expect(authority.counters).toMatchObject({ refreshPosts: 1, codeExchanges: 1, replays: 0 });
    expect((await run(['token', server.url])).stdout.trim()).toBe(authority.tokens.newest?.token);
  });

  it('a login that the server has ended is replaced without --force', async () => {
    await signedIn();
    authority.revokeEverything();
    authority.tokens.revokeAll();
    await browser.setMode('follow');
    const again = await run(['login', server.url]);
    expect(again).toMatchObject({ code: 0, stdout: '' });
    expect(again.stderr).toContain('Signed in');
    expect(authority.counters).toMatchObject({ codeExchanges: 2 });
    tabs = 2;
  });

  it('where the server does not say whether it accepts the token, nothing is done; Ctrl-C ends the question', async () => {
    await signedIn();
    server.fail({ kind: 'answer', status: 503 }, ({ method }) => method === 'POST', 1);
    expect(await run(['login', server.url])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('already signed in'),
    });
    server.fail({ kind: 'answer', status: 401, body: 'no API key' }, ({ method }) => method === 'POST', 1);
    expect(await run(['login', server.url])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('already signed in'),
    });
    const before = server.requests.entries.length;
    server.fail({ kind: 'black-hole' }, ({ method }) => method === 'POST', 1);
    const hanging = new Command(['login', server.url], env());
    await server.requests.until(() => server.requests.entries.length > before);
    hanging.child.kill('SIGINT');
    const end = await hanging.ended;
    expect(end.code).not.toBe(0);
    expect(end.stderr).not.toContain('already signed in');
    expect(authority.counters).toMatchObject({ refreshPosts: 0, codeExchanges: 1 });
  });

  it('--force signs in again, with the existing registration', async () => {
    await signedIn();
    await browser.setMode('follow');
    tabs = 2;
    const again = await run(['login', server.url, '--force']);
    expect(again.code).toBe(0);
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 2 });
    expect(new URL(browser.opened.at(-1)?.address ?? '').searchParams.get('prompt')).toContain('login');
  });

  it('--no-browser accepts the address at which the browser ended, and nothing else', async () => {
    await browser.setMode('forbidden');
    const login = new Command(['login', server.url, '--no-browser'], env({ BROWSER: '' }));
    const [, address = ''] = await login.said(/(http:\/\/127\.0\.0\.1:\d+\/auth\?\S+)/);
    // As on another machine: where the browser is sent to, nobody listens; the person copies it.
    const callback = await redirectOf(address);
    const forged = new URL(callback);
    forged.searchParams.set('state', 'forged');
    login.send(`hello\n${forged}\n`);
    await login.said(/is not the address of this sign-in[\s\S]*is not the address of this sign-in/);
    expect(authority.counters.codeExchangePosts).toBe(0);
    login.send(`${callback}\n`);
    const end = await login.ended;
    expect(end).toMatchObject({ code: 0, stdout: '' });
    expect(end.stderr).not.toContain(callback.searchParams.get('code'));
    expect(authority.counters.codeExchanges).toBe(1);
  });

  it('behaves the same over SSH without a flag, also while a bridge waits for a sign-in', async () => {
    await browser.setMode('forbidden');
    await using host = startRawHost([server.url], { env: env({ BROWSER: '' }) });
    await host.initialize();
    const login = new Command(['login', server.url], env({ BROWSER: '' }));
    const [, address = ''] = await login.said(/(http:\/\/127\.0\.0\.1:\d+\/auth\?\S+)/);
    await login.said(/paste it here/);
    const callback = await redirectOf(address);
    const forged = new URL(callback);
    forged.searchParams.set('state', 'forged');
    login.send(`hello\n${forged}\n`);
    await login.said(/is not the address of this sign-in[\s\S]*is not the address of this sign-in/);
    login.send(`${callback}\n`);
    expect(await login.ended).toMatchObject({ code: 0, stdout: '' });
    // A call waits until the bridge has seen that somebody signed in; a list does not, where no page was opened.
    const call = { name: 'echo', arguments: { value: 'signed in' } };
    const { result } = await host.request('tools/call', call, { timeoutMs: 30_000 });
    expect(JSON.stringify(result)).toContain('signed in');
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
  });

  it('a declined sign-in: exit 1, with the reason', async () => {
    authority.consent.mode = 'wait';
    const login = new Command(['login', server.url], env());
    await authority.consent.asked.until(() => authority.consent.asked.entries.length > 0);
    authority.consent.deny();
    const end = await login.ended;
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain('declined');
  });

  it('continues the sign-in that a bridge has begun instead of starting another', async () => {
    authority.consent.mode = 'wait';
    await using host = startRawHost([server.url], { env: env() });
    await host.initialize();
    await browser.waitForOpened(1);
    const login = new Command(['login', server.url], env());
    await login.said(/open it yourself:\nhttp/);
    authority.consent.allow();
    expect((await login.ended).code).toBe(0);
    expect(browser.opened).toHaveLength(1);
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
  });
});

describe('login, when a port is taken', () => {
  it('that was fixed: an error names it before the browser opens', async () => {
    await using squatter = await squat();
    const end = await run(['login', server.url, String(squatter.port)]);
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain(String(squatter.port));
    // The same from a bridge, whose sign-in is a process of its own.
    await using host = startRawHost([server.url, String(squatter.port)], { env: env() });
    await host.initialize();
    expect((await host.request('tools/list')).error?.message).toContain(String(squatter.port));
    expect(authority.counters).toMatchObject({ registrations: 0, authorizationRequests: 0 });
    expect(browser.opened).toHaveLength(0);
  });

  it('that was registered: uses another one, with one more registration', async () => {
    await signedIn();
    await browser.setMode('follow');
    tabs = 2;
    const { client } = await record();
    const registered = new URL(String(client.redirectUri));
    await using _ = await squat(Number(registered.port));
    expect((await run(['login', server.url, '--force'])).code).toBe(0);
    expect(authority.counters).toMatchObject({ registrations: 2, codeExchanges: 2 });
    const again = new URL(String((await record()).client.redirectUri));
    expect(again.port).not.toBe(registered.port);
    expect(`${again.hostname}${again.pathname}`).toBe('127.0.0.1/callback');
    expect((await run(['token', server.url])).code).toBe(0);
  });
});

describe('token', () => {
  it('prints the token and nothing else, and shows the secret nowhere else', async () => {
    await signedIn();
    const plain = await run(['token', server.url, '--debug']);
    const token = authority.tokens.newest?.token ?? 'none';
    expect(plain).toMatchObject({ code: 0, stdout: `${token}\n` });
    const whole = await run(['token', server.url, '--header', '--debug']);
    expect(whole).toMatchObject({ code: 0, stdout: `Authorization: Bearer ${token}\n` });
    const { tokens } = await record();
    const everything = await said(plain, whole);
    expect(everything).not.toBe('');
    for (const secret of [token, tokens.refreshToken as string]) expect(everything).not.toContain(secret);
  });

  it('refreshes an expired token, once for all callers', async () => {
    authority.accessTokenTtlSeconds = 2;
    await signedIn();
    const { tokens } = await record();
    authority.accessTokenTtlSeconds = 3600;
    await past(tokens.expiresAt as number);
    const ends = await Promise.all(Array.from({ length: 5 }, () => run(['token', server.url])));
    const newest = authority.tokens.newest?.token;
    expect(ends.map(({ code, stdout }) => `${code} ${stdout}`)).toEqual(Array(5).fill(`0 ${newest}\n`));
    expect(authority.counters).toMatchObject({ refreshPosts: 1, replays: 0 });
  });

  it('without a login: exit 3, nothing on stdout, the command to run on stderr', async () => {
    const end = await run(['token', server.url]);
    expect(end).toMatchObject({ code: 3, stdout: '' });
    expect(end.stderr).toContain(`${PROGRAM} login ${server.url}`);
    expect(browser.opened).toHaveLength(0);
  });

  it('a profile has its own login', async () => {
    await signedIn();
    const end = await run(['token', server.url, '--profile', 'work']);
    expect(end.code).toBe(3);
    expect(end.stderr).toContain('--profile work');
  });

  it('a failing token endpoint is a failure, not a reason to sign in', async () => {
    authority.accessTokenTtlSeconds = 2;
    await signedIn();
    await past((await record()).tokens.expiresAt as number);
    authority.failRefresh(faults.unavailable);
    const end = await run(['token', server.url]);
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain('503');
  });
});

describe('logout', () => {
  const revocations = () =>
    authority.requests.entries
      .filter(({ path }) => path.endsWith('/revocation'))
      .map(({ body }) => new URLSearchParams(body).get('token'));

  it('revokes the refresh token, then the access token, then deletes both', async () => {
    await signedIn();
    const { tokens } = await record();
    const end = await run(['logout', server.url]);
    expect(end).toMatchObject({ code: 0, stdout: '' });
    expect(revocations()).toEqual([tokens.refreshToken, tokens.accessToken]);
    expect(await readdir(join(home.state, 'credentials'))).not.toContainEqual(
      expect.stringMatching(/^[0-9a-f]{64}\.(json|.*(claim|answer))$/),
    );
    expect((await run(['token', server.url])).code).toBe(3);
    expect(end.stderr).not.toContain(tokens.refreshToken);
  });

  it('a server that refuses: deleted here all the same, exit 1', async () => {
    await signedIn();
    authority.fail('revocation', faults.unavailable);
    const end = await run(['logout', server.url]);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('503');
    expect((await run(['token', server.url])).code).toBe(3);
  });

  it('also removes files that were set aside, and revokes the tokens that can be read', async () => {
    await signedIn();
    const login = await record();
    const folder = join(home.state, 'credentials');
    const [file = ''] = (await readdir(folder)).filter(
      (name) => name.endsWith('.json') && !name.includes('.sign-in'),
    );
    const key = file.replace('.json', '');
    const aside = (name: string) => join(folder, `${key}.corrupt-${name}`);
    const { tokens } = login;
    const earlier = {
      ...login,
      tokens: { ...tokens, accessToken: 'earlier-at', refreshToken: 'earlier-rt' },
    };
    await writeFile(aside('aa'), JSON.stringify(earlier), { mode: 0o600 });
    await writeFile(aside('bb'), JSON.stringify(earlier), { mode: 0o600 });
    await writeFile(aside('cc'), '{"torn', { mode: 0o600 });
    const end = await run(['logout', server.url]);
    expect(end.code).toBe(0);
    expect(end.stderr).toContain('set aside as unusable (3)');
    expect(end.stderr).not.toMatch(/earlier-/);
    expect(revocations()).toEqual([tokens.refreshToken, tokens.accessToken, 'earlier-rt', 'earlier-at']);
    expect((await readdir(folder)).filter((name) => name.includes('.corrupt-'))).toEqual([]);

    // Nothing else of this key is there: --all finds it all the same.
    await writeFile(
      aside('dd'),
      JSON.stringify({ ...earlier, tokens: { ...tokens, accessToken: 'last-at' } }),
    );
    expect((await run(['logout', '--all'])).code).toBe(0);
    expect(revocations()).toContain('last-at');
    expect((await readdir(folder)).filter((name) => name.includes('.corrupt-'))).toEqual([]);
  });

  it('a record copied over another does not revoke the login that it is a copy of', async () => {
    await signedIn();
    const folder = join(home.state, 'credentials');
    const copied = JSON.stringify(await record());
    const other = 'https://other.example/mcp';
    const login = JSON.stringify({ server: other, access_token: 'other-at' });
    expect((await run(['tokens', 'import'], {}, login)).code).toBe(0);
    for (const name of await readdir(folder)) {
      if (!/^[0-9a-f]{64}\.json$/.test(name)) continue;
      const text = await readFile(join(folder, name), 'utf8');
      if (text.includes(other)) await writeFile(join(folder, name), copied);
    }
    // Set aside by whoever reads it for its own server.
    expect((await run(['token', other, '--non-interactive'])).code).toBe(3);
    expect((await readdir(folder)).filter((name) => name.includes('.corrupt-'))).toHaveLength(1);
    expect((await run(['logout', other])).code).toBe(0);
    expect((await readdir(folder)).filter((name) => name.includes('.corrupt-'))).toEqual([]);
    expect(revocations()).toEqual([]);
    expect((await run(['token', server.url])).code).toBe(0);
  });

  it('--all', async () => {
    await signedIn();
    await browser.setMode('follow');
    tabs = 2;
    await run(['login', server.url, '--profile', 'work']);
    expect((await run(['logout', '--all'])).code).toBe(0);
    expect(JSON.parse((await run(['status', '--json'])).stdout)).toEqual([]);
    expect(authority.counters.revocations).toBe(4);
  });
});

describe('status', () => {
  it('shows each login, and no secret', async () => {
    await signedIn();
    await browser.setMode('follow');
    tabs = 2;
    await run(['login', server.url, '--profile', 'work']);
    const json = await run(['status', '--json']);
    expect(JSON.parse(json.stdout)).toEqual(
      ['default', 'work'].map((profile) =>
        expect.objectContaining({ server: server.url, profile, state: 'signed in', refreshable: true }),
      ),
    );
    const table = await run(['status', server.url, '--profile', 'work']);
    expect(table.code).toBe(0);
    expect(table.stdout.split('\n')).toHaveLength(3);
    expect(table.stdout).toMatch(/^SERVER +PROFILE +STATE/);
    for (const { token } of authority.tokens.all) expect(json.stdout + table.stdout).not.toContain(token);
    expect((await run(['status', 'https://other.example/'])).code).toBe(3);
  });

  it('shows a pending sign-in with its address', async () => {
    await browser.setMode('ignore');
    await using host = startRawHost([server.url], { env: env() });
    await host.initialize();
    const [opened] = await browser.waitForOpened(1);
    const [only] = JSON.parse((await run(['status', '--json'])).stdout);
    expect(only).toMatchObject({ server: server.url, state: 'sign-in needed' });
    expect(only.signIn.address).toBe(opened?.address);
    expect((await run(['status'])).stdout).toContain(opened?.address);
  });
});

/** Somebody else's listener. */
async function squat(port = 0): Promise<AsyncDisposable & { readonly port: number }> {
  const squatter = createServer();
  await new Promise<void>((resolve, reject) => {
    squatter.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (squatter.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => squatter.close(() => resolve())),
  };
}

/** Until a moment that a token's own record names. */
async function past(instant: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, instant - Date.now() + 50));
}

/** Where a browser is sent at last, without arriving there. */
async function redirectOf(address: string): Promise<URL> {
  let callback: URL | undefined;
  authority.alterCallback = (to) => {
    callback = new URL(to);
    to.port = '9';
  };
  await expect(visit(address)).rejects.toThrow();
  return callback as URL;
}
