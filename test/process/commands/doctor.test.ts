import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECKS } from '../../../src/errors.ts';
import { serializeRecord } from '../../../src/store/record/record-schema.ts';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { startBlackHole } from '../../peers/faults/black-hole.ts';
import { startForwardProxy } from '../../peers/faults/forward-proxy.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { CredentialHelper } from '../../peers/keychains/credential-helper.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createAuthority, type IssueOptions } from '../../peers/net/certificates.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { isPosix } from '../../peers/processes/tools.ts';
import { Vendor, type VendorHabits } from '../../peers/vendors/vendor.ts';

let home: TemporaryHome;
beforeEach(async () => {
  home = await createTemporaryHome();
});
afterEach(() => home.close());

interface Result {
  readonly id: string;
  readonly status: 'ok' | 'warning' | 'failure' | 'skipped';
  readonly text: string;
  readonly wayOut?: string;
}

/** `doctor --json`: the results by their ids, and the exit code. */
async function doctor(args: readonly string[], extra: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runProgram(['doctor', ...args, '--json'], home.env(extra));
  expect(stderr).toBe('');
  const { checks } = JSON.parse(stdout) as { checks: Result[] };
  const by = new Map(checks.map((each) => [each.id, each]));
  const result = (id: string) => by.get(id) ?? { status: 'absent' };
  const failed = checks.filter(({ status }) => status === 'failure').map(({ id }) => id);
  return { code, stdout, checks, result, failed };
}

/** The files below the home, with what is in them. */
async function contents(): Promise<Record<string, string>> {
  const names = await readdir(home.folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (path) => [path, await readFile(path, 'utf8')])),
  );
}

it('the README lists every check', async () => {
  const page = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| `([\w.-]+)` \| (.*) \|$/gm)].map(([, id, about]) => [id, about]);
  expect(listed.filter(([id = '']) => id in CHECKS)).toEqual(Object.entries(CHECKS));
});

describe('without an address', () => {
  it('checks this machine, and creates nothing', async () => {
    const { code, checks, failed } = await doctor([]);
    expect([code, failed]).toEqual([0, []]);
    expect(checks.map(({ id }) => id).slice(0, 6)).toEqual([
      'node.version',
      'browser',
      'environment',
      'store.folder',
      'keychain',
      'store.locks',
    ]);
    expect(await readdir(home.folder)).toEqual([]);
  });

  it('prints the same for people', async () => {
    const { code, stdout } = await runProgram(['doctor'], home.env());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ node\.version {6}Node \d/);
    expect(stdout).toMatch(/\d checks/);
  });

  it.each([
    ['others may write to it', async (folder: string) => chmod(folder, 0o777), 'failure', 'other users'],
    ['it is synchronized', async () => undefined, 'warning', 'copied to other machines'],
  ] as const)('an unsafe folder of logins: %s', async (what, prepare, status, text) => {
    const folder = join(home.folder, what.startsWith('it is') ? 'Dropbox/logins' : 'logins');
    await mkdir(folder, { recursive: true });
    await prepare(folder);
    const found = await doctor(['--home', folder]);
    expect(found.result('store.folder')).toMatchObject({ status });
    expect(JSON.stringify(found.result('store.folder'))).toContain(text);
  });

  it.skipIf(!isPosix())(
    'a keychain that has the key of the logins, is locked, or is no longer configured',
    async () => {
      const helper = await CredentialHelper.create(home.folder);
      const env = { PATH: helper.path };
      const folder = join(home.state, 'credentials');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const login = join(folder, `${'a'.repeat(64)}.json`);
      await writeFile(login, serializeRecord(wholeRecord), { mode: 0o600 });
      expect((await doctor([], env)).result('keychain')).toMatchObject({ status: 'ok' });
      const on = await runProgram(['keychain', 'on', '--backend', helper.backend], home.env(env));
      expect(on.code).toBe(0);
      expect((await doctor([], env)).result('keychain')).toMatchObject({
        status: 'ok',
        text: expect.stringContaining('helper:test'),
      });
      await helper.lock();
      const locked = await doctor([], env);
      expect([locked.code, locked.failed]).toEqual([1, ['keychain']]);
      expect(locked.result('keychain')).toMatchObject({
        text: expect.stringContaining('locked'),
        wayOut: expect.stringContaining('Unlock'),
      });
      await helper.unlock();
      const marker = join(folder, 'keychain.json');
      const text = await readFile(marker, 'utf8');
      await writeFile(marker, text.replace('"on"', '"turning-on"'));
      expect((await doctor([], env)).result('keychain')).toMatchObject({
        status: 'warning',
        wayOut: expect.stringContaining('keychain on'),
      });
      await writeFile(marker, text);
      await writeFile(join(folder, `${'b'.repeat(64)}.json`), serializeRecord(wholeRecord), { mode: 0o600 });
      expect((await doctor([], env)).result('keychain')).toMatchObject({
        status: 'warning',
        text: expect.stringContaining('a login is not sealed'),
      });
      await rm(marker);
      expect((await doctor([], env)).result('keychain')).toMatchObject({
        status: 'failure',
        text: expect.stringContaining('keychain.json'),
      });
    },
  );

  it('an invalid proxy variable is named', async () => {
    const { code, result } = await doctor([], { HTTPS_PROXY: 'proxy.example' });
    expect(code).toBe(1);
    expect(result('environment')).toMatchObject({
      status: 'failure',
      text: expect.stringContaining('HTTPS_PROXY'),
    });
  });
});

describe('the entries of hosts', () => {
  const cursor = async (servers: object) => {
    await mkdir(join(home.folder, '.cursor'), { recursive: true });
    await writeFile(join(home.folder, '.cursor/mcp.json'), JSON.stringify({ mcpServers: servers }));
  };
  const entry = (args: readonly string[], command = process.execPath) => ({ command, args });

  it('none means nothing to check', async () => {
    const { result } = await doctor([]);
    expect(result('hosts.entries')).toMatchObject({ status: 'skipped' });
    expect(result('hosts.mcp-remote')).toMatchObject({ status: 'ok', text: 'none' });
  });

  it('one that works, and one with mcp-remote', async () => {
    await cursor({
      mine: entry([PROGRAM, 'https://a.example/mcp']),
      old: { command: 'npx', args: ['-y', 'mcp-remote', 'https://b.example/mcp'] },
    });
    const { code, result } = await doctor([]);
    expect(code).toBe(0);
    expect(result('hosts.entries')).toMatchObject({ status: 'ok', text: '"mine" of cursor can be started' });
    expect(result('hosts.mcp-remote')).toMatchObject({
      status: 'warning',
      text: expect.stringContaining('"old" of cursor'),
      wayOut: expect.stringContaining('install --replace mcp-remote'),
    });
  });

  it.each([
    [
      'a Node that is gone',
      entry(['-y', 'mcp-drawbridge', 'https://a.example'], '/gone/npx'),
      '"/gone/npx", which is not there',
    ],
    [
      'a flag that is none',
      entry([PROGRAM, 'https://a.example', '--alow-http']),
      'unknown flag "--alow-http"',
    ],
    ['no address', entry([PROGRAM]), 'the address of the MCP server is missing'],
  ])('%s', async (_, broken, text) => {
    await cursor({ broken });
    const { code, failed, result } = await doctor(['--host', 'cursor']);
    expect([code, failed]).toEqual([1, ['hosts.entries']]);
    expect(result('hosts.entries')).toMatchObject({ text: expect.stringContaining(text) });
    expect((await doctor(['--host', 'zed'])).failed).toEqual([]);
  });

  it('an unknown host is an input error', async () => {
    const { code, stdout, stderr } = await runProgram(['doctor', '--host', 'cursr'], home.env());
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('did you mean cursor?');
  });

  it("the contents of a host's file are printed without control characters and secrets", async () => {
    const token = 'canary-4711-of-a-server';
    const odd = join(home.folder, 'h\u001b[31m');
    await mkdir(join(odd, '.cursor'), { recursive: true });
    const args = ['-y', 'mcp-drawbridge', 'https://a.example'];
    const servers = { broken: { command: `/opt/Bearer ${token} of/npx`, args } };
    await writeFile(join(odd, '.cursor/mcp.json'), JSON.stringify({ mcpServers: servers }));
    const { code, stdout } = await runProgram(['doctor'], { ...home.env(), HOME: odd });
    expect(code).toBe(1);
    expect(stdout).toContain('hosts.entries');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain(token);
  });

  it('an unreadable file is reported with its line', async () => {
    await mkdir(join(home.folder, '.cursor'));
    await writeFile(join(home.folder, '.cursor/mcp.json'), '{\n  "mcpServers": {,\n}');
    const { result } = await doctor([]);
    expect(result('hosts.entries')).toMatchObject({
      status: 'warning',
      text: expect.stringContaining('line 2'),
    });
  });
});

describe('the way to the server', () => {
  it('a host name that does not exist', async () => {
    const { code, failed, result } = await doctor(['https://nowhere.invalid/mcp']);
    expect([code, failed]).toEqual([1, ['dns']]);
    expect(result('dns')).toMatchObject({ wayOut: expect.stringContaining('VPN') });
    expect(result('login')).toMatchObject({ status: 'skipped' });
  });

  it('connection refused', async () => {
    const { code, failed, result } = await doctor(['http://127.0.0.1:1/mcp']);
    expect([code, failed]).toEqual([1, ['tcp']]);
    expect(result('tcp')).toMatchObject({ wayOut: expect.stringContaining('port') });
    expect(result('tls')).toMatchObject({ status: 'skipped', text: 'because tcp failed' });
  });

  it('dropped packets', async () => {
    await using hole = await startBlackHole();
    const { failed, result } = await doctor([hole.url.href, '--connect-timeout', '0.3']);
    expect(failed).toEqual(['tcp']);
    expect(result('tcp')).toMatchObject({ wayOut: expect.stringContaining('firewall') });
  });

  it.each<[string, IssueOptions, string, string]>([
    ['an authority that nobody knows', {}, 'not trusted here', '--ca'],
    ['a certificate that has expired', { notAfter: new Date(Date.now() - 1000) }, 'expired', 'clock'],
    ['a certificate for another host', { hosts: ['other.example'] }, 'for other hosts', 'address'],
  ])('%s', async (_, options, text, wayOut) => {
    const authority = await createAuthority('Root of the test');
    await writeFile(join(home.folder, 'ca.pem'), authority.pem);
    await using vendor = await Vendor.start({}, await authority.issue(options));
    const ca = Object.keys(options).length === 0 ? [] : ['--ca', join(home.folder, 'ca.pem')];
    const { failed, result } = await doctor([vendor.mcpUrl, ...ca]);
    expect(failed).toEqual(['tls']);
    expect(result('tls')).toMatchObject({
      text: expect.stringContaining(text),
      wayOut: expect.stringContaining(wayOut),
    });
    expect(result('tcp')).toMatchObject({ status: 'ok' });
    if (ca.length === 0) {
      const trusted = await doctor([vendor.mcpUrl, '--ca', join(home.folder, 'ca.pem')]);
      expect(trusted.result('tls')).toMatchObject({ status: 'ok' });
    }
  });

  it('a proxy that leads there, a proxy that refuses, and a proxy that is gone', async () => {
    await using vendor = await Vendor.start({}, undefined, 'vendor.test');
    await using proxy = await startForwardProxy();
    const url = vendor.mcpUrl.replace('http:', 'https:');
    const refusing = createServer();
    refusing.on('connect', (_request, socket) =>
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    );
    await new Promise<void>((listening) => refusing.listen(0, '127.0.0.1', listening));
    const at = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    // The vendor speaks plain http behind the tunnel: the handshake with it fails, after the proxy has led there.
    const led = await doctor([url], { HTTPS_PROXY: proxy.url });
    expect(proxy.tunnels.entries).not.toHaveLength(0);
    expect(led.result('dns')).toMatchObject({ status: 'skipped' });
    const refused = await doctor([url], { HTTPS_PROXY: at });
    expect(refused.failed).toEqual(['proxy']);
    expect(refused.result('tcp')).toMatchObject({ text: 'because proxy failed' });
    refusing.close();
    const gone = await doctor([url], { HTTPS_PROXY: at });
    expect(gone.failed).toEqual(['proxy']);
  });

  it('a server that reads the request and never answers', async () => {
    await using server = await startMcpServer({});
    server.fail({ kind: 'black-hole' });
    const { failed, result } = await doctor([server.url, '--connect-timeout', '0.3']);
    expect(failed).toEqual(['endpoint']);
    expect(result('tcp')).toMatchObject({ status: 'ok' });
    expect(result('endpoint')).toMatchObject({ text: 'an answer of the server did not come within 10.3 s' });
  });

  it('a wrong clock', async () => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    await using vendor = await Vendor.start({ any: () => ({ status: 401, headers: { date } }) });
    const { result } = await doctor([vendor.mcpUrl]);
    expect(result('clock')).toMatchObject({
      status: 'warning',
      text: expect.stringMatching(/3[56]\d\d s ahead/),
    });
  });
});

describe('what kind of server answers', () => {
  const html = { 'content-type': 'text/html' };
  it.each<[string, NonNullable<VendorHabits['any']>, string]>([
    ['a web page', () => ({ headers: html, body: '<html>' }), 'a web page answers'],
    ['nothing at this path', () => ({ status: 404 }), 'no MCP server answers at this path'],
    ['another method only', () => ({ status: 405 }), 'no MCP server answers at this path'],
    [
      'a redirect',
      () => ({ status: 308, headers: { location: 'https://new.example/mcp' } }),
      'https://new.example/mcp',
    ],
    ['nobody from here', () => ({ status: 403 }), '403'],
    ['a gateway without a server', () => ({ status: 502 }), '502'],
    ['JSON that is none of MCP', () => ({ body: { hello: 1 } }), 'not an MCP message'],
  ])('%s', async (_, answer, text) => {
    await using vendor = await Vendor.start({ any: answer });
    const { code, failed, result } = await doctor([vendor.mcpUrl]);
    expect([code, failed]).toEqual([1, ['endpoint']]);
    expect(JSON.stringify(result('endpoint'))).toContain(text);
  });

  it('a server of HTTP+SSE', async () => {
    await using vendor = await Vendor.start({ sse: true });
    expect((await doctor([vendor.mcpUrl])).result('endpoint')).toMatchObject({ status: 'ok' });
  });

  it('a server that wants no sign-in', async () => {
    await using server = await startMcpServer({});
    const { code, failed, result } = await doctor([server.url]);
    expect([code, failed]).toEqual([0, []]);
    expect(result('login')).toMatchObject({ status: 'skipped', text: 'none is needed' });
    expect(result('server.answers')).toMatchObject({
      status: 'ok',
      text: expect.stringMatching(/^\d+ tools, after/),
    });
  });

  it('a header that the server refuses', async () => {
    await using vendor = await Vendor.start();
    const header = ['--header', 'Authorization: Bearer ${CANARY}'];
    const { failed, result, stdout } = await doctor([vendor.mcpUrl, ...header], { CANARY: 'canary-token' });
    expect(failed).toEqual(['auth.challenge']);
    expect(result('auth.challenge')).toMatchObject({ wayOut: expect.stringContaining('Renew') });
    expect(stdout).not.toContain('canary');
  });
});

describe('the parts of a sign-in', () => {
  it.each<[string, VendorHabits, readonly string[], string, string]>([
    [
      'another issuer',
      { metadata: () => ({ issuer: 'https://other.example' }) },
      [],
      'auth.metadata',
      'issuer',
    ],
    [
      'another resource',
      { resourceMetadata: () => ({ resource: 'https://other.example/' }) },
      [],
      'auth.metadata',
      'resource',
    ],
    [
      'no PKCE',
      { metadata: () => ({ code_challenge_methods_supported: undefined }) },
      [],
      'auth.metadata',
      '--assume-pkce',
    ],
    [
      'no registration',
      { metadata: () => ({ registration_endpoint: undefined }) },
      [],
      'auth.registration',
      '--client-id',
    ],
  ])('%s', async (_, habits, args, id, text) => {
    await using vendor = await Vendor.start(habits);
    const { code, failed, result } = await doctor([vendor.mcpUrl, ...args]);
    expect(failed.filter((each) => each !== 'login')).toEqual([id]);
    expect(code).toBe(1);
    expect(JSON.stringify(result(id))).toContain(text);
  });

  it('a manually registered client needs no registration', async () => {
    await using vendor = await Vendor.start({ metadata: () => ({ registration_endpoint: undefined }) });
    const { result } = await doctor([vendor.mcpUrl, '--client-id', 'mine']);
    expect(result('auth.registration')).toMatchObject({ status: 'ok' });
  });

  it('a callback port that is taken', async () => {
    await using vendor = await Vendor.start();
    const taken = createServer();
    await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
    const { port } = taken.address() as AddressInfo;
    const { failed, result } = await doctor([vendor.mcpUrl, '--callback-port', `${port}`]);
    taken.close();
    expect(failed).toContain('auth.callback');
    expect(result('auth.callback')).toMatchObject({ text: expect.stringContaining('in use') });
  });
});

describe('the login', () => {
  it('missing, fresh, expired and ended: each is reported, and nothing is changed or used up', async () => {
    await using authority = await startAuthorizationServer({ accessTokenTtlSeconds: 3600 });
    await using server = await startMcpServer({ authority });
    await using browser = await createFakeBrowser(home.folder, 'follow');
    const env = { BROWSER: browser.command };

    const missing = await doctor([server.url], env);
    expect([missing.code, missing.failed]).toEqual([3, ['login']]);
    expect(missing.result('login')).toMatchObject({
      wayOut: expect.stringMatching(/^Run: .* login http:\/\/127\.0\.0\.1:\d+\/mcp/),
    });
    expect(authority.counters).toMatchObject({ registrations: 0, authorizationRequests: 0 });
    expect(browser.opened).toHaveLength(0);

    expect((await runProgram(['login', server.url], home.env(env))).code).toBe(0);
    const before = await contents();
    const sessions = server.requests.count(({ body }) => body.includes('initialize'));
    const posts = authority.counters.refreshPosts;
    const fresh = await doctor([server.url], env);
    expect([fresh.code, fresh.failed]).toEqual([0, []]);
    expect(fresh.result('login')).toMatchObject({ status: 'ok', text: expect.stringContaining('signed in') });

    expect(fresh.result('server.answers')).toMatchObject({
      status: 'ok',
      text: expect.stringContaining('tools'),
    });
    expect(server.requests.count(({ body }) => body.includes('"initialize"'))).toBe(sessions + 1);

    const other = await doctor([server.url, '--scope', 'mcp:extra'], env);
    expect(other.code).toBe(3);
    expect(other.result('login')).toMatchObject({
      text: expect.stringContaining('for other options than these'),
    });

    for (const text of [fresh.stdout, other.stdout]) {
      for (const content of Object.values(before)) {
        for (const [, token] of content.matchAll(/"(?:accessToken|refreshToken)":"([^"]+)"/g)) {
          expect(text).not.toContain(token);
        }
      }
    }
    authority.revokeEverything();
    const revoked = await doctor([server.url], env);
    expect(revoked.failed).toEqual(['server.answers']);
    expect(revoked.result('server.answers')).toMatchObject({
      text: expect.stringContaining('refuses the access token'),
    });

    expect(await contents()).toEqual(before);
    expect(authority.counters.refreshPosts).toBe(posts);
    expect(authority.counters.registrations).toBe(1);
  });

  it('that has expired is not refreshed by the check', async () => {
    await using authority = await startAuthorizationServer({ accessTokenTtlSeconds: 2 });
    await using server = await startMcpServer({ authority });
    await using browser = await createFakeBrowser(home.folder, 'follow');
    const env = { BROWSER: browser.command };
    expect((await runProgram(['login', server.url], home.env(env))).code).toBe(0);
    let seen = await doctor([server.url], env);
    while (!JSON.stringify(seen.result('login')).includes('has expired'))
      seen = await doctor([server.url], env);
    expect(seen.result('login')).toMatchObject({
      status: 'ok',
      text: expect.stringContaining('refreshes it'),
    });
    expect(seen.result('server.answers')).toMatchObject({ status: 'skipped' });
    expect(authority.counters.refreshPosts).toBe(0);
  });

  it('a server that accepts the login and answers no list', async () => {
    await using vendor = await Vendor.start({
      any: ({ body }) =>
        body.includes('tools/list')
          ? { body: { jsonrpc: '2.0', id: 2, error: { code: -32603, message: 'out of order' } } }
          : undefined,
    });
    const { failed, result } = await doctor([vendor.mcpUrl]);
    expect(failed).toContain('login');
    expect(result('server.answers')).toMatchObject({ status: 'skipped', text: 'because login is not ok' });
    const open = await startMcpServer({});
    open.fail({ kind: 'answer', status: 500 }, ({ body }) => body.includes('tools/list'));
    const broken = await doctor([open.url]);
    await open.close();
    expect(broken.failed).toEqual(['server.answers']);
    expect(broken.result('server.answers')).toMatchObject({ text: expect.stringContaining('status 500') });
  });
});
