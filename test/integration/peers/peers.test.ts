import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { startSdkAuthorizationServer } from '../../peers/authorization-servers/sdk-authorization-server.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { faults } from '../../peers/faults/faults.ts';
import { Steps } from '../../peers/faults/refresh-steps.ts';
import { startHost } from '../../peers/hosts/host.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { DirectSignIn } from '../../peers/hosts/sdk-client.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { carries, isGet, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';

const EVERYTHING = fileURLToPath(
  new URL('../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url),
);

/** A host that speaks to the peer directly; signs in when asked and tries again. */
async function connect(url: string, signIn?: DirectSignIn, client = newClient()): Promise<Client> {
  const transport = () =>
    new StreamableHTTPClientTransport(new URL(url), signIn === undefined ? {} : { authProvider: signIn });
  const first = transport();
  try {
    await client.connect(first as Transport);
  } catch (error) {
    const code = signIn?.arrivedAt?.searchParams.get('code');
    if (typeof code !== 'string') throw error;
    await first.finishAuth(code);
    await client.connect(transport() as Transport);
  }
  return client;
}

function newClient(): Client {
  return new Client(
    { name: 'direct', version: '1' },
    { capabilities: { sampling: {}, elicitation: {}, roots: {} } },
  );
}

describe.each([
  { name: 'oidc-provider', start: startAuthorizationServer },
  { name: "the SDK's router", start: startSdkAuthorizationServer },
])('a protected server behind $name', ({ start }) => {
  test('lets the SDK sign in, call, refresh, and refuses a replay', async () => {
    await using authority = await start({ consent: 'page' });
    await using server = await startMcpServer({ authority, scopesSupported: ['mcp:tools'] });
    const signIn = await DirectSignIn.start();
    const client = await connect(server.url, signIn);
    const who = await client.callTool({ name: 'whoami' });
    expect(JSON.stringify(who)).toContain('mcp:tools');
    expect(authority.counters).toMatchObject({
      registrations: 1,
      codeExchanges: 1,
      refreshes: 0,
      replays: 0,
    });

    const spent = signIn.tokens();
    authority.tokens.revokeAll();
    await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
    expect(authority.counters).toMatchObject({
      registrations: 1,
      codeExchanges: 1,
      refreshes: 1,
      replays: 0,
    });

    if (spent !== undefined) signIn.saveTokens(spent);
    await expect(client.callTool({ name: 'add', arguments: { a: 1, b: 2 } })).rejects.toThrow();
    expect(authority.counters.refreshes).toBe(1);
    // The SDK's client may try more than once.
    expect(authority.counters.replays).toBeGreaterThan(0);
    await signIn.close();
  });
});

test('the authorization server denies, waits, and fails as configured', async () => {
  await using authority = await startAuthorizationServer({ consent: 'wait', path: '/tenant' });
  await using server = await startMcpServer({ authority });
  const signIn = await DirectSignIn.start();
  const connecting = connect(server.url, signIn);
  await authority.consent.asked.waitFor(() => true);
  authority.consent.deny();
  await expect(connecting).rejects.toThrow();
  expect(signIn.arrivedAt?.searchParams.get('error')).toBe('access_denied');
  expect(signIn.arrivedAt?.searchParams.get('iss')).toBe(authority.issuer);
  expect(authority.counters).toMatchObject({ denials: 1, codesIssued: 0 });

  authority.consent.allow();
  const client = await connect(server.url, signIn);
  authority.tokens.revokeAll();
  authority.failRefresh(faults.resetAfterCommit, 1);
  await expect(client.callTool({ name: 'whoami' })).rejects.toThrow();
  expect(authority.counters.refreshes).toBe(1);
  expect(authority.counters.refreshPosts).toBeGreaterThan(0);
  await signIn.close();
});

test('one of two concurrent refreshes wins and the grant is lost, unless there is a grace period', async () => {
  await using authority = await startAuthorizationServer({ accessTokenTtlSeconds: 2 });
  await using server = await startMcpServer({ authority });
  const signIn = await DirectSignIn.start();
  await connect(server.url, signIn);
  const { token_endpoint: endpoint } = await authority.metadata();
  const refresh = async (token: string | undefined) => {
    const clientId = signIn.clientInformation()?.client_id ?? '';
    const form = { grant_type: 'refresh_token', refresh_token: token ?? '', client_id: clientId };
    const answer = await fetch(String(endpoint), { method: 'POST', body: new URLSearchParams(form) });
    return (await answer.json()) as Record<string, string | undefined>;
  };
  authority.reuseGraceMs = 10_000;
  const first = signIn.tokens()?.refresh_token;
  const graced = await Promise.all([refresh(first), refresh(first)]);
  expect(graced.map(({ error }) => error)).toEqual([undefined, undefined]);
  expect(authority.counters).toMatchObject({ refreshes: 2, replays: 1 });

  authority.reuseGraceMs = 0;
  const second = graced[0]?.refresh_token;
  const raced = await Promise.all([refresh(second), refresh(second)]);
  expect(raced.map(({ error }) => error ?? 'won').sort()).toEqual(['invalid_grant', 'won']);
  expect(authority.counters).toMatchObject({ refreshes: 3, replays: 2 });
  const won = raced.find(({ access_token }) => access_token !== undefined)?.access_token ?? '';
  await expect(authority.tokens.verifyAccessToken(won)).rejects.toThrow(/revoked/);
  authority.forgetClients();
  expect((await refresh(second)).error).toBe('invalid_client');
  await signIn.close();
});

describe.each([
  { stateful: true, json: false },
  { stateful: true, json: true },
  { stateful: false, json: false },
  { stateful: false, json: true },
])('the MCP server, %o', (options) => {
  test('offers what it declares', async () => {
    await using server = await startMcpServer(options);
    const client = newClient();
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({
      model: 'm',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: 'sampled' },
    }));
    client.setRequestHandler(ElicitRequestSchema, async () => ({
      action: 'accept',
      content: { name: 'Zoë' },
    }));
    client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///r' }] }));
    await connect(server.url, undefined, client);
    const echo = await client.callTool({ name: 'echo', arguments: { value: { '😀': [1, null] } } });
    expect(echo.content).toEqual([{ type: 'text', text: '{"😀":[1,null]}' }]);
    expect((await client.listTools()).tools).toHaveLength(10);
    expect((await client.listPrompts()).prompts).toHaveLength(1);
    const ref = { type: 'ref/prompt' as const, name: 'greet' };
    const completion = await client.complete({ ref, argument: { name: 'place', value: 'P' } });
    expect(completion.completion.values).toEqual(['Paris', 'Prague', 'Porto']);
    if (options.stateful) {
      await server.events.waitFor((event) => event.kind === 'stream-opened');
      for (const [name, args, part] of [
        ['sample', { prompt: 'p' }, 'sampled'],
        ['elicit', { message: 'm' }, 'Zoë'],
        ['roots', {}, 'file:///r'],
      ] as const) {
        const result = await client.callTool({ name, arguments: args });
        expect(JSON.stringify(result.content)).toContain(part);
      }
      const aborting = new AbortController();
      const slow = client.callTool({ name: 'slow', arguments: { name: 'a' } }, undefined, {
        signal: aborting.signal,
      });
      await server.calls.started('a');
      aborting.abort();
      await expect(slow).rejects.toThrow();
      await server.calls.cancelled('a');
    }
    expect(server.counters.initializes).toBe(1);
    await client.close();
  });
});

test('the MCP server loses sessions, restarts on its port and refuses as configured', async () => {
  await using server = await startMcpServer();
  server.fail(faults.redirect('/elsewhere'), isGet, 1);
  const client = await connect(server.url);
  await server.loseSessions();
  await expect(client.listTools()).rejects.toThrow(/404|not found/i);
  await server.restart();
  // `fetch` may still hold a connection of before, and does not try again by itself.
  const again = await connect(server.url).catch(() => connect(server.url));
  server.fail(faults.tooMany('7'), carries('tools/list'), 1);
  await expect(again.listTools()).rejects.toThrow();
  await again.listTools();
  expect(server.counters).toMatchObject({ initializes: 2, sessionsOpened: 2 });
});

test('the raw server misbehaves by path and records what arrived', async () => {
  await using server = await startRawMcpServer({ session: 's-1', stream: true });
  const post = (address: string, body: string) =>
    fetch(address, { method: 'POST', body, headers: { 'X-Odd-Case': 'kept' } });
  const first = await post(server.address('html'), '{"jsonrpc":"2.0","id":0,"method":"initialize"}');
  expect(first.headers.get('mcp-session-id')).toBe('s-1');
  const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call"}';
  expect((await post(server.address('html'), call)).headers.get('content-type')).toBe('text/html');
  expect(await (await post(server.address('one-byte-json'), call)).text()).toContain('12345678901234567890');
  await expect(post(server.address('reset-json'), call).then((answer) => answer.text())).rejects.toThrow();
  expect((await (await post(server.address('huge?bytes=100000'), call)).text()).length).toBeGreaterThan(
    100_000,
  );
  expect(server.requests.entries[1]?.bytes.toString()).toBe(call);
  expect(server.requests.entries[0]?.rawHeaders).toContain('X-Odd-Case');

  const endless = await post(server.address('endless'), call);
  await server.requests.waitFor(({ path }) => path.endsWith('endless'));
  server.enough = true;
  expect(await endless.text()).toMatch(/"id":1,"result"[^\n]*\n\n$/);
});

test('hosts report what a program over stdio prints and how it exits', async () => {
  await using home = await createTemporaryHome();
  await using host = await startHost(['stdio'], { env: home.env(), program: EVERYTHING });
  expect((await host.client.listTools()).tools.length).toBeGreaterThan(3);

  await using raw = startRawHost(['stdio'], { env: home.env(), program: EVERYTHING });
  const answer = await raw.initialize();
  expect(answer.result).toMatchObject({ protocolVersion: '2025-11-25' });
  expect((await raw.request('tools/list')).error).toBeUndefined();
  raw.assertPure();
  raw.assertOneAnswerEach();
  expect(raw.stderr).not.toBe('');
  raw.kill();
  expect(await raw.closed).toMatchObject({ signal: 'SIGKILL' });
});

test('reports stdout that is not JSON-RPC', async () => {
  await using home = await createTemporaryHome();
  const chatty = ['-e', 'console.log("hello"); process.stdout.write("{}")'];
  await using raw = startRawHost([], { env: home.env(), nodeArgs: chatty, program: '' });
  await raw.closed;
  expect(() => raw.assertPure()).toThrow(/hello/);
});

test('the fake browser follows links, records requests, and fails where it must not be used', async () => {
  await using home = await createTemporaryHome();
  await using authority = await startAuthorizationServer();
  const browser = await createFakeBrowser(home.folder, 'chatty');
  const open = async (address: string) => {
    const child = spawn(browser.command, [address], { env: { CANARY: 'c' }, stdio: 'pipe' });
    const [output] = await once(child.stdout, 'data').catch(() => ['']);
    return String(output);
  };
  const address = `${authority.issuer}/.well-known/openid-configuration`;
  expect(await open(address)).toContain('existing browser session');
  const [arrived] = await browser.waitForArrived();
  expect(arrived).toMatchObject({ url: address, status: 200 });
  expect(browser.opened[0]).toMatchObject({ address, argv: [address], env: { CANARY: 'c' } });
  const [request] = authority.requests.entries;
  expect(request?.headers).toMatchObject({ 'sec-fetch-mode': 'navigate' });

  await browser.setMode('forbidden');
  await expect(browser.close()).rejects.toThrow(/must not be touched/);
  await expect(visit(`${authority.issuer}/nothing`)).resolves.toMatchObject({ status: 404 });
});

test('the residue of a refresh lasts from the request until its response is in the file, whatever comes between', () => {
  const [record, lock] = [`${'ab'.repeat(32)}.json`, `${'ab'.repeat(32)}.json.lock`];
  const answer = `${'ab'.repeat(32)}.hash.1.answer`;
  const steps = new Steps();
  const told: string[] = [];
  const call = (name: string, on: string) => {
    const step = steps.next(name, on);
    told.push(`${step}${steps.isResidue(name) ? '!' : ''}`);
    steps.done(name, on);
  };
  call('lstatSync', lock);
  steps.holdsLock = true;
  call('open', record);
  call('readdir', 'credentials');
  call('writeFile', `${answer}.0123.tmp`);
  call('connect', '443');
  call('write', '443');
  // Touches of the lock.
  for (const name of ['stat', 'utimes']) call(name, lock);
  call('open', answer);
  call('stat', lock);
  call('writeFile', answer);
  call('utimes', lock);
  call('sync', answer);
  call('stat', lock);
  expect(told).toEqual([
    'lock',
    're-read',
    'claim',
    'pre-create',
    'POST',
    'POST',
    'POST!',
    'POST!',
    'write!',
    'write!',
    'write!',
    'write',
    'fsync',
    'fsync',
  ]);
});
