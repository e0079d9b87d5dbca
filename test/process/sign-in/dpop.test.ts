import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { checkProof } from '../../peers/authorization-servers/dpop-proofs.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { DpopGate } from '../../peers/mcp-servers/dpop-gate.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { Vendor } from '../../peers/vendors/vendor.ts';

const INSTANCES = 6;
const echo = { name: 'echo', arguments: { value: 'hello' } };

async function texts(folder: string, pattern: RegExp): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => pattern.test(name));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

async function record(home: TemporaryHome) {
  const folder = join(home.state, 'credentials');
  const [text = ''] = await texts(folder, /^[0-9a-f]{64}\.json$/);
  const [name = ''] = (await readdir(folder)).filter((each) => /^[0-9a-f]{64}\.json$/.test(each));
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  return JSON.parse(text) as { dpopKey: { d: string }; tokens: { accessToken: string; tokenType: string } };
}

/** The text of all that a program had loaded, by its own word. */
async function loaded(folder: string): Promise<string> {
  const files = new Set<string>();
  for (const text of await texts(folder, /^coverage-/)) {
    const { result } = JSON.parse(text) as { result: { url: string }[] };
    for (const { url } of result) if (url.startsWith('file:')) files.add(url);
  }
  expect(files.size).toBeGreaterThan(0);
  return (await Promise.all([...files].map((url) => readFile(new URL(url), 'utf8')))).join('\n');
}

it('several instances share one key: one sign-in, one refresh, all served; only `tokens export` shows it', async () => {
  await using home = await createTemporaryHome();
  await using elsewhere = await createTemporaryHome();
  await using browser = await createFakeBrowser(home.folder, 'follow');
  await using authority = await startAuthorizationServer({ extras: { dpop: true } });
  await using server = await startMcpServer();
  await using gate = await DpopGate.start({
    inner: server.url,
    issuer: authority.issuer,
    tokens: authority.tokens,
    nonces: 'each',
  });
  const env = home.env({ BROWSER: browser.command });
  const start = () => startRawHost([gate.url, '--wait', '--debug'], { env });
  const hosts = Array.from({ length: INSTANCES }, start);
  try {
    const called = async (host: (typeof hosts)[number]) =>
      (await host.request('tools/call', echo, { timeoutMs: 30_000 })).result;
    const first = await Promise.all(hosts.map((host) => host.initialize().then(() => called(host))));
    expect(first.filter((result) => result !== undefined)).toHaveLength(INSTANCES);
    const before = await record(home);
    authority.tokens.revokeAll();
    const next = await Promise.all(hosts.map(called));
    expect(next.filter((result) => result !== undefined)).toHaveLength(INSTANCES);
    const after = await record(home);
    expect(browser.opened).toHaveLength(1);
    expect(authority.counters).toMatchObject({
      registrations: 1,
      codeExchanges: 1,
      refreshes: 1,
      replays: 0,
    });
    expect(after).toMatchObject({ dpopKey: before.dpopKey, tokens: { tokenType: 'DPoP' } });

    const whole = await runProgram(['token', gate.url, '--header'], env);
    const [authorization, proof] = whole.stdout.split('\n').map((line) => line.split(': ')[1]);
    const token = after.tokens.accessToken;
    expect(authorization).toBe(`DPoP ${token}`);
    const shown = { method: 'POST', url: gate.url, proof, token, now: Date.now() };
    expect(checkProof(shown)).toMatchObject({ kind: 'good', jkt: authority.tokens.newest?.jkt });
    expect(whole.stderr).toContain('one POST');
    const plain = await runProgram(['token', gate.url], env);
    expect(plain).toMatchObject({ code: 0, stdout: `${token}\n` });
    expect(plain.stderr).toContain('bound to a key');

    const exported = await runProgram(['tokens', 'export', gate.url], env);
    expect(JSON.parse(exported.stdout)).toMatchObject({ token_type: 'DPoP', dpop_jwk: before.dpopKey });
    const there = elsewhere.env({ BROWSER: browser.command });
    expect((await runProgram(['tokens', 'import'], there, exported.stdout)).code).toBe(0);
    const noted = join(elsewhere.folder, 'loaded');
    await using host = startRawHost([gate.url, '--debug'], { env: { ...there, NODE_V8_COVERAGE: noted } });
    hosts.push(host);
    await host.initialize();
    expect(await called(host)).toBeDefined();
    host.endStdin();
    await host.exited;
    expect(await loaded(noted)).toContain('dpop+jwt');
    expect(authority.counters.refreshes).toBe(1);
    expect(browser.opened).toHaveLength(1);

    const logs = [home, elsewhere].map(({ state }) => texts(join(state, 'logs'), /./));
    const written = (await Promise.all(logs)).flat();
    expect(written.length).toBeGreaterThan(INSTANCES);
    const said = [
      written,
      whole.stdout,
      whole.stderr,
      plain.stderr,
      exported.stderr,
      hosts.map((each) => [each.stderr, each.lines.entries]),
      browser.opened,
      authority.requests.entries,
      gate.events.entries,
    ];
    expect(JSON.stringify(said)).not.toContain(before.dpopKey.d);
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
  }
});

it('--dpop always: an import or the environment cannot bring in a bearer token', async () => {
  await using home = await createTemporaryHome();
  const credential = JSON.stringify({ access_token: 's3cr3t-canary' });
  const args = ['https://mcp.example/mcp', '--dpop', 'always'];
  const ends = await Promise.all([
    runProgram(['tokens', 'import', ...args], home.env(), credential),
    runProgram(['token', ...args], home.env({ MCP_DRAWBRIDGE_CREDENTIALS: credential })),
  ]);
  for (const end of ends) {
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).toContain('--dpop always');
    expect(end.stderr).not.toContain('canary');
  }
  const free = await runProgram(['tokens', 'import', args[0] as string], home.env(), credential);
  expect(free.code).toBe(0);
});

it('a login with a bearer token loads no DPoP code', async () => {
  await using home = await createTemporaryHome();
  await using vendor = await Vendor.start();
  const { access_token } = vendor.issue().body as { access_token: string };
  const noted = join(home.folder, 'loaded');
  const MCP_DRAWBRIDGE_CREDENTIALS = JSON.stringify({ access_token });
  const env = home.env({ MCP_DRAWBRIDGE_CREDENTIALS, NODE_V8_COVERAGE: noted });
  await using host = startRawHost([vendor.mcpUrl], { env });
  await host.initialize();
  expect((await host.request('tools/call', echo)).result).toBeDefined();
  host.endStdin();
  await host.exited;
  expect(vendor.to('/mcp').at(-1)?.headers.authorization).toBe(`Bearer ${access_token}`);
  const code = await loaded(noted);
  expect(code).toContain('tools/list');
  expect(code).not.toContain('dpop+jwt');
});
