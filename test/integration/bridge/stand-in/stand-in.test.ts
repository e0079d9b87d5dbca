import { describe, expect, it } from 'vitest';
import { BROWSER_HEAD_START_MS } from '../../../../src/bridge/timing/limits.ts';
import type { ToolSettings } from '../../../../src/config/config.ts';
import { type Clock, systemClock } from '../../../../src/platform/clock.ts';
import type { Fault } from '../../../peers/faults/faults.ts';
import { type ComposedBridge, composeBridge } from '../../../peers/hosts/composed-bridge.ts';
import { type PeerMcpServer, startMcpServer } from '../../../peers/mcp-servers/mcp-server.ts';
import { fastClock } from '../../../peers/net/fast-clock.ts';
import { HeldSignIn } from '../../../peers/worlds/held-sign-in.ts';

const ADDRESS = 'https://as.example/authorize?state=x';
const TOKEN = 'the-token';
/** Patience is over in a second: for tests that wait for that. */
const OUTLASTED = 50;
/** Patience lasts longer than a loaded machine needs: for tests in which it must not end. */
const PATIENT = 4;
const unauthorized: Fault = { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } };

/** A server that answers 401 to everything without the token, and a bridge for which time passes faster. */
async function world(
  options: {
    remembered?: object;
    capabilities?: object;
    wait?: boolean;
    speed?: number;
    clock?: Clock;
    tools?: ToolSettings;
  } = {},
) {
  const server: PeerMcpServer = await startMcpServer({});
  server.fail(unauthorized, ({ headers }) => headers.authorization !== `Bearer ${TOKEN}`);
  const signIn = new HeldSignIn();
  const bridge = await composeBridge(server.url, {
    authorization: signIn,
    clock: options.clock ?? fastClock(options.speed ?? OUTLASTED),
    remembered: options.remembered ?? {},
    wait: options.wait ?? false,
    ...(options.tools === undefined ? {} : { tools: options.tools }),
  });
  bridge.read();
  return {
    server,
    signIn,
    bridge,
    initialize: () => bridge.initialize({ capabilities: options.capabilities ?? {} }),
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

/** The elicitations that the host was sent. */
function elicitations({ received }: ComposedBridge) {
  return received.entries.filter(({ json }) => json.method === 'elicitation/create').map(({ json }) => json);
}

const call = { name: 'echo', arguments: { value: 1 } };

describe('during a sign-in', () => {
  it('hidden tools stay hidden in the remembered list too, and sign_in is shown', async () => {
    const tools = [
      { name: 'get', inputSchema: {}, annotations: { readOnlyHint: true } },
      { name: 'set', inputSchema: {} },
    ];
    const hidden = { allow: ['get'], deny: [], readOnly: true };
    const remembered = { lists: { 'tools/list': { tools } } };
    for (const [known, shown] of [
      [remembered, ['get']],
      [{}, ['sign_in']],
    ] as const) {
      await using w = await world({ remembered: known, tools: hidden });
      await w.initialize();
      w.signIn.show(ADDRESS);
      const list = await w.bridge.request(1, 'tools/list');
      expect(list.json.result.tools.map(({ name }: { name: string }) => name)).toEqual(shown);
    }
  });

  it('lists say how to sign in, calls fail with the address, and the real lists are announced', async () => {
    await using w = await world();
    expect((await w.initialize()).json.result.serverInfo.name).toBe('mcp-drawbridge');
    w.signIn.show(ADDRESS);
    const [tools, prompts, called] = await Promise.all([
      w.bridge.request(1, 'tools/list'),
      w.bridge.request(2, 'prompts/list'),
      w.bridge.request(3, 'tools/call', call),
    ]);
    expect(tools.json.result.tools.map(({ name }: { name: string }) => name)).toEqual(['sign_in']);
    expect(tools.json.result.tools[0].description).toContain(ADDRESS);
    expect(prompts.json.result).toEqual({ prompts: [] });
    expect(called.json.error).toMatchObject({ code: -32000, data: { address: ADDRESS } });
    expect(called.json.error.message).toContain(ADDRESS);
    w.bridge.send({
      jsonrpc: '2.0',
      id: 4,
      method: 'tools/call',
      params: { name: 'sign_in', arguments: {} },
    });
    w.signIn.succeed(TOKEN);
    expect((await w.bridge.answer(4)).json.result.content[0].text).toContain('Signed in');
    for (const kind of ['tools', 'prompts']) {
      await w.bridge.received.waitFor(({ json }) => json.method === `notifications/${kind}/list_changed`);
    }
    expect((await w.bridge.request(5, 'tools/list')).json.result.tools.length).toBeGreaterThan(3);
    expect((await w.bridge.request(6, 'tools/call', call)).json.result.content[0].text).toBe('1');
    // A model may go by the list that it got first.
    const late = await w.bridge.request(7, 'tools/call', { name: 'sign_in', arguments: {} });
    expect(late.json.result.content[0].text).toContain('Signed in');
    expect(w.signIn.asked).toBe(1);
    expect(
      w.bridge.received.count(({ json }) => json.method === 'notifications/resources/list_changed'),
    ).toBe(0);
    expect(w.server.counters.sessionsOpened).toBe(1);
  });

  it("last time's responses are used again", async () => {
    const initialize = {
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 'known', version: '3' },
    };
    const remembered = { initialize, lists: { 'tools/list': { tools: [{ name: 'from-last-time' }] } } };
    await using w = await world({ remembered });
    expect((await w.initialize()).json.result.serverInfo.name).toBe('known');
    expect((await w.bridge.request(1, 'tools/list')).json.result.tools[0].name).toBe('from-last-time');
    w.signIn.succeed(TOKEN);
    await w.bridge.received.waitFor(({ json }) => json.method === 'notifications/tools/list_changed');
    const kept = w.bridge.remembered.find((change) => change.initialize !== undefined);
    expect(JSON.stringify(kept)).not.toContain('known');
  });

  it('a waiting call is sent once when the sign-in is done', async () => {
    await using w = await world({ speed: PATIENT });
    await w.initialize();
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
    w.signIn.succeed(TOKEN);
    expect((await w.bridge.answer(1)).json.result.content[0].text).toBe('1');
    expect(w.server.methodCount('tools/call')).toBe(1);
  });

  it('a host that supports URL elicitation gets one at once, and a completion notification', async () => {
    await using w = await world({ capabilities: { elicitation: { url: {} } } });
    await w.initialize();
    w.signIn.show(ADDRESS);
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
    const asked = await w.bridge.received.waitFor(({ json }) => json.method === 'elicitation/create');
    expect(asked.json.params).toMatchObject({ mode: 'url', url: ADDRESS });
    w.bridge.send({ jsonrpc: '2.0', id: asked.json.id, result: { action: 'accept' } });
    const failed = await w.bridge.answer(1);
    expect(failed.json.error.code).toBe(-32042);
    expect(failed.json.error.data.elicitations[0].url).toBe(ADDRESS);
    w.signIn.succeed(TOKEN);
    const done = await w.bridge.received.waitFor(
      ({ json }) => json.method === 'notifications/elicitation/complete',
    );
    expect(done.json.params.elicitationId).toBe(asked.json.params.elicitationId);
    await w.bridge.request(2, 'tools/call', call);
    expect(w.bridge.received.count(({ json }) => json.method === 'elicitation/create')).toBe(1);
    expect(w.server.requests.entries.some(({ body }) => body.includes('"action"'))).toBe(false);
  });

  it('a host that declines automatically is asked again with the next tool call; its responses do not reach the server', async () => {
    await using w = await world({ capabilities: { elicitation: { form: {}, url: {} } }, speed: PATIENT });
    await w.initialize();
    const asked = async (n: number) => {
      await w.bridge.received.until(() => elicitations(w.bridge).length >= n);
      return elicitations(w.bridge).at(-1);
    };
    w.signIn.show(ADDRESS);
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const first = await asked(1);
    w.bridge.send({ jsonrpc: '2.0', id: first.id, result: { action: 'decline' } });
    w.bridge.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call });
    const second = await asked(2);
    expect(second.params).toMatchObject({ mode: 'url', url: ADDRESS });
    w.bridge.send({ jsonrpc: '2.0', id: second.id, result: { action: 'accept' } });
    w.signIn.succeed(TOKEN);
    expect((await w.bridge.answer(2)).json.result.content[0].text).toBe('1');
    const done = await w.bridge.received.waitFor(
      ({ json }) => json.method === 'notifications/elicitation/complete',
    );
    expect(done.json.params.elicitationId).toBe(second.params.elicitationId);
    expect(w.server.requests.entries.some(({ body }) => body.includes('"action"'))).toBe(false);
  });

  describe('after the sign-in has opened a browser', () => {
    const able = { elicitation: { url: {} } };

    it('the host shows the address only if nobody has signed in some seconds later', async () => {
      await using w = await world({ capabilities: able });
      await w.initialize();
      w.signIn.browserOpened = true;
      const startedAt = performance.now();
      w.signIn.show(ADDRESS);
      w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
      await w.bridge.received.waitFor(({ json }) => json.method === 'elicitation/create');
      expect((performance.now() - startedAt) * OUTLASTED).toBeGreaterThanOrEqual(BROWSER_HEAD_START_MS);
    });

    it('the host shows nothing if the sign-in is done by then', async () => {
      await using w = await world({ capabilities: able });
      await w.initialize();
      w.signIn.browserOpened = true;
      w.signIn.show(ADDRESS);
      w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
      await w.signIn.recoveries.until(() => w.signIn.recoveries.count() > 0);
      w.signIn.succeed(TOKEN);
      await w.bridge.answer(1);
      // Longer than the head start, on its clock.
      await new Promise((resolve) => setTimeout(resolve, (2 * BROWSER_HEAD_START_MS) / OUTLASTED));
      expect(elicitations(w.bridge)).toEqual([]);
    });

    it('the host shows the address at once if the browser turns out not to open', async () => {
      // On a clock on which the browser's head start never ends.
      await using w = await world({ capabilities: able, clock: { ...systemClock, monotonic: () => 0 } });
      await w.initialize();
      w.signIn.browserOpened = true;
      w.signIn.show(ADDRESS);
      w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
      // Answered here, after the call was taken.
      await w.bridge.request(2, 'ping');
      expect(elicitations(w.bridge)).toEqual([]);
      w.signIn.browserOpened = false;
      await w.bridge.received.waitFor(({ json }) => json.method === 'elicitation/create');
    });
  });

  it('the sign_in tool returns the address before the host times out, and can be called again', async () => {
    await using w = await world();
    await w.initialize();
    w.signIn.show(ADDRESS);
    const tools = await w.bridge.request(1, 'tools/list');
    expect(tools.json.result.tools[0].description).toContain('up to 45 seconds');
    const startedAt = performance.now();
    const waited = await w.bridge.request(2, 'tools/call', { name: 'sign_in', arguments: {} });
    expect((performance.now() - startedAt) * OUTLASTED).toBeLessThan(60_000);
    const [{ text }] = waited.json.result.content;
    expect(text).toContain('call this tool again');
    expect(text).toMatch(new RegExp(`${ADDRESS.replace('?', '\\?')}$`));
    w.bridge.send({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'sign_in' } });
    w.signIn.succeed(TOKEN);
    expect((await w.bridge.answer(3)).json.result.content[0].text).toContain('Signed in');
  });

  it.each([
    ['claude-code', /available now\.$/],
    ['continue-cli-client', /the person has to restart this MCP server/],
    ['some-host', /If the app does not show them, restart/],
  ])('the sign_in tool gives the right advice for the host %s', async (name, expected) => {
    await using w = await world();
    await w.bridge.initialize({ clientInfo: { name, version: '1' } });
    w.signIn.show(ADDRESS);
    expect((await w.bridge.request(1, 'tools/list')).json.result.tools[0].name).toBe('sign_in');
    w.bridge.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'sign_in' } });
    w.signIn.succeed(TOKEN);
    expect((await w.bridge.answer(2)).json.result.content[0].text).toMatch(expected);
  });

  it('a failed sign-in is reported with its reason, and started again only by the next call', async () => {
    await using w = await world({ speed: PATIENT });
    await w.initialize();
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
    w.signIn.fail();
    expect((await w.bridge.answer(1)).json.error.message).toContain('person said no');
    expect(w.signIn.asked).toBe(1);
    w.bridge.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call });
    await w.signIn.recoveries.until(() => w.signIn.recoveries.count() === 2);
    expect(w.signIn.asked).toBe(2);
    w.signIn.succeed(TOKEN);
    expect((await w.bridge.answer(2)).json.result).toBeDefined();
  });

  it('with --wait, lists and calls wait for the whole sign-in', async () => {
    await using w = await world({ wait: true });
    await w.initialize();
    w.signIn.show(ADDRESS);
    w.bridge.send(
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: call },
    );
    // Two minutes on its clock, more than any patience.
    await new Promise((resolve) => setTimeout(resolve, 2400));
    expect(w.bridge.answersTo(1) + w.bridge.answersTo(2)).toBe(0);
    w.signIn.succeed(TOKEN);
    expect((await w.bridge.answer(1)).json.result.tools.length).toBeGreaterThan(3);
    expect((await w.bridge.answer(2)).json.result).toBeDefined();
  });
});

describe('in an established session', () => {
  it('a token that no longer works leads to one sign-in for all calls, and each is sent once more', async () => {
    await using w = await world({ speed: PATIENT });
    w.signIn.succeed(TOKEN);
    await w.initialize();
    await w.bridge.request(0, 'tools/call', call);
    w.server.fail(
      unauthorized,
      ({ method, headers }) => method === 'POST' && headers.authorization === `Bearer ${TOKEN}`,
      5,
    );
    const ids = [1, 2, 3, 4, 5];
    for (const id of ids) w.bridge.send({ jsonrpc: '2.0', id, method: 'tools/call', params: call });
    await w.signIn.recoveries.until(() => w.signIn.recoveries.count() === ids.length);
    w.signIn.succeed(TOKEN);
    for (const id of ids) expect((await w.bridge.answer(id)).json.result).toBeDefined();
    expect(w.signIn.asked).toBe(1);
    expect(w.server.methodCount('tools/call')).toBe(11);
  });
});
