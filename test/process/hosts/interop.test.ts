import { afterEach, beforeEach, expect, it } from 'vitest';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser, type FakeBrowser } from '../../peers/browsers/browser.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { type RawHost, startRawHost } from '../../peers/hosts/raw-host.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { WorkersServer } from '../../peers/vendors/workers-server.ts';

/** Several instances of the built program at servers that others wrote. */
const INSTANCES = 3;

let home: TemporaryHome;
let browser: FakeBrowser;
let hosts: readonly RawHost[];

beforeEach(async () => {
  home = await createTemporaryHome();
  browser = await createFakeBrowser(home.folder, 'follow');
  hosts = [];
});
afterEach(async () => {
  for (const host of hosts) await host[Symbol.asyncDispose]();
  await browser.close();
  await home.close();
});

const env = (extra: Record<string, string> = {}) => home.env({ BROWSER: browser.command, ...extra });

function start(args: readonly string[], extra: Record<string, string> = {}): void {
  hosts = Array.from({ length: INSTANCES }, () => startRawHost([...args, '--wait'], { env: env(extra) }));
}

async function everybodyCalls(text: string): Promise<void> {
  const call = { name: 'echo', arguments: { value: text } };
  const answers = await Promise.all(hosts.map((host) => host.request('tools/call', call)));
  for (const { result } of answers) expect(JSON.stringify(result)).toContain(text);
}

async function everybodyEnds(): Promise<void> {
  for (const host of hosts) {
    host.endStdin();
    expect((await host.closed).code).toBe(0);
    host.assertPure();
  }
}

it("Cloudflare's authorization server: one sign-in, one refresh per lapse, gone after logout", async () => {
  await using server = await WorkersServer.start();
  start([server.url]);
  await Promise.all(hosts.map((host) => host.initialize()));
  await everybodyCalls('first');
  for (const lapse of ['second', 'third']) {
    server.endAccessTokens();
    await everybodyCalls(lapse);
  }
  expect(browser.opened).toHaveLength(1);
  expect(server.to('/oauth/register')).toHaveLength(1);
  const grants = server.tokenForms.map((form) => form.get('grant_type'));
  expect(grants).toEqual(['authorization_code', 'refresh_token', 'refresh_token']);
  await everybodyEnds();

  const { stdout: token } = await runProgram(['token', server.url], env());
  const use = () =>
    fetch(server.url, { method: 'POST', headers: { authorization: `Bearer ${token.trim()}` }, body: '{}' });
  expect((await use()).status).not.toBe(401);
  expect((await runProgram(['logout', server.url], env())).code).toBe(0);
  expect((await use()).status).toBe(401);
});

it('a service at oidc-provider: one token for all, one request per lapse, no sign-in', async () => {
  await browser.setMode('forbidden');
  const secret = 'service-secret-canary';
  const service = {
    client_id: 'service',
    client_secret: secret,
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
  };
  const extras = { clientCredentials: true, clients: [service] };
  await using authority = await startAuthorizationServer({ extras });
  await using server = await startMcpServer({ authority, scopesSupported: ['mcp:tools'] });
  const args = [
    '--grant',
    'client_credentials',
    '--client-id',
    'service',
    '--client-secret-env',
    'THE_SECRET',
  ];
  start([server.url, ...args], { THE_SECRET: secret });
  await Promise.all(hosts.map((host) => host.initialize()));
  await everybodyCalls('first');
  expect(authority.tokens.all).toHaveLength(1);
  for (const [lapses, text] of [
    [1, 'second'],
    [2, 'third'],
  ] as const) {
    authority.tokens.revokeAll();
    await everybodyCalls(text);
    expect(authority.tokens.all).toHaveLength(1 + lapses);
  }
  expect(authority.requests.count(({ path }) => path === '/token')).toBe(3);
  await everybodyEnds();
  for (const host of hosts) expect(host.stderr).not.toContain(secret);
});
