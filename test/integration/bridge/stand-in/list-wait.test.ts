import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/platform/clock.ts';
import type { CachedServer } from '../../../../src/protocol/server-cache.ts';
import type { Fault } from '../../../peers/faults/faults.ts';
import { composeBridge } from '../../../peers/hosts/composed-bridge.ts';
import { startMcpServer } from '../../../peers/mcp-servers/mcp-server.ts';
import { fastClock, stillClock } from '../../../peers/net/fast-clock.ts';
import { HeldSignIn } from '../../../peers/worlds/held-sign-in.ts';

const ADDRESS = 'https://as.example/authorize?state=x';
const TOKEN = 'the-token';
/** Longer than the stand-in takes and shorter than any wait for a person: on such a clock nothing ends by waiting. */
const NO_PATIENCE_ENDS = 1_000;
const unauthorized: Fault = { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } };
/** What a server said last time that has all kinds of lists. */
const initialize = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {}, prompts: {}, resources: {} },
  serverInfo: { name: 'known', version: '3' },
};

/** A server that asks for a sign-in, and a host of this name. `browserOpened`: the person has the page before them. */
async function world(options: {
  readonly clock: Clock;
  readonly clientInfo?: { readonly name: string; readonly version: string };
  readonly browserOpened?: boolean;
  readonly remembered?: CachedServer;
}) {
  const server = await startMcpServer({});
  server.fail(unauthorized, ({ headers }) => headers.authorization !== `Bearer ${TOKEN}`);
  const signIn = new HeldSignIn();
  signIn.browserOpened = options.browserOpened ?? true;
  const { clock, remembered = {}, clientInfo = { name: 'test-host', version: '1' } } = options;
  const bridge = (await composeBridge(server.url, { authorization: signIn, clock, remembered })).read();
  const begin = clock.monotonic();
  await bridge.initialize({ clientInfo });
  return {
    server,
    signIn,
    bridge,
    passedMs: () => clock.monotonic() - begin,
    names: async (id: number) =>
      (await bridge.answer(id)).json.result.tools.map(({ name }: { name: string }) => name),
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

describe('lists that wait for a sign-in', () => {
  it('are answered one after the other within the time of one', async () => {
    const fast = fastClock(50);
    let isStill = false;
    const still = stillClock();
    const clock: Clock = { ...fast, sleep: (ms, signal) => (isStill ? still : fast).sleep(ms, signal) };
    await using w = await world({ clock, remembered: { initialize } });
    w.signIn.show(ADDRESS);
    expect((await w.bridge.request(1, 'prompts/list')).json.result).toEqual({ prompts: [] });
    expect(w.passedMs()).toBeGreaterThanOrEqual(20_000);
    // From here on, what waits waits forever.
    isStill = true;
    w.bridge.send({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    expect(await w.names(2)).toEqual(['sign_in']);
    expect((await w.bridge.request(3, 'resources/list')).json.result).toEqual({ resources: [] });
    expect((await w.bridge.request(4, 'resources/templates/list')).json.result).toEqual({
      resourceTemplates: [],
    });
    expect((await w.bridge.request(5, 'tools/list')).json.result.tools).toHaveLength(1);
  });

  it('are not held if no browser was opened, as only the list says where to sign in', async () => {
    await using w = await world({ clock: stillClock(NO_PATIENCE_ENDS), browserOpened: false });
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    await w.signIn.recoveries.until(() => w.signIn.recoveries.count() > 0);
    w.signIn.show(ADDRESS);
    expect(await w.names(1)).toEqual(['sign_in']);
  });

  it('are released when the browser turns out not to open', async () => {
    await using w = await world({ clock: stillClock(NO_PATIENCE_ENDS) });
    w.signIn.show(ADDRESS);
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    // Answered here, after the list was taken.
    await w.bridge.request(2, 'ping');
    expect(w.bridge.answersTo(1)).toBe(0);
    w.signIn.browserOpened = false;
    expect(await w.names(1)).toEqual(['sign_in']);
  });

  it.each([
    ['opencode', '1.1.0', 4_000],
    ['codex-mcp-client', '0.120.0', 8_000],
    ['crush', '0.9.0', 8_000],
    ['claude-code', '2.1.197', 20_000],
    ['qwen-cli-mcp-client-world', '0.0.1', 45_000],
    ['continue-cli-client', '1.0.0', 45_000],
    ['@cline/core', '0.0.0', 45_000],
  ])('are held as long as is useful with %s %s: %d ms', async (name, version, ms) => {
    await using w = await world({ clock: fastClock(50), clientInfo: { name, version } });
    w.signIn.show(ADDRESS);
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(await w.names(1)).toEqual(['sign_in']);
    expect(w.passedMs()).toBeGreaterThanOrEqual(ms);
  });

  it("hold the server's tools when the person signs in late, at a host that never lists again", async () => {
    const clock = fastClock(20);
    const clientInfo = { name: 'continue-cli-client', version: '1.0.0' };
    await using w = await world({ clock, clientInfo });
    w.signIn.show(ADDRESS);
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    // Longer than others are held.
    await clock.sleep(24_000);
    expect(w.bridge.answersTo(1)).toBe(0);
    w.signIn.succeed(TOKEN);
    expect(await w.names(1)).toContain('echo');
  });
});

it("an unreachable server: last time's list is returned at once", async () => {
  const remembered = { initialize, lists: { 'tools/list': { tools: [{ name: 'from-last-time' }] } } };
  const clock = stillClock(NO_PATIENCE_ENDS);
  await using bridge = (await composeBridge('http://127.0.0.1:1/mcp', { clock, remembered })).read();
  await bridge.initialize();
  expect((await bridge.request(1, 'tools/list')).json.result.tools[0].name).toBe('from-last-time');
});
