import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/platform/clock.ts';
import type { CachedServer } from '../../../../src/protocol/server-cache.ts';
import { composeBridge } from '../../../peers/hosts/composed-bridge.ts';
import { type RawMcpServer, startRawMcpServer } from '../../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { ModernMcpServer } from '../../../peers/mcp-servers/modern-mcp-server.ts';
import { hurriedClock, stillClock } from '../../../peers/net/fast-clock.ts';
import { HeldSignIn } from '../../../peers/worlds/held-sign-in.ts';

const ADDRESS = 'https://as.example/authorize?state=x';
/** Longer than the stand-in takes and shorter than any wait for a person: on such a clock nothing ends by waiting. */
const NO_PATIENCE_ENDS = 1_000;
const ODD_LISTS = ['prompts/list', 'resources/list', 'resources/templates/list'] as const;
const EMPTY = {
  'prompts/list': { prompts: [] },
  'resources/list': { resources: [] },
  'resources/templates/list': { resourceTemplates: [] },
};

/** A server that answers every list but that of the tools with `{}`, as some do, whatever they declare. */
function oddServer(
  server: RawMcpServer,
  capabilities: object,
  tools: object = { tools: [{ name: 'real' }] },
) {
  server.behaviours.lists = ({ request, response }) => {
    const { id, method } = request.rpc;
    if (id === undefined) return void response.writeHead(202).end();
    const serverInfo = { name: 'odd', version: '1' };
    const initialize = { protocolVersion: '2025-11-25', capabilities, serverInfo };
    const result = method === 'initialize' ? initialize : method === 'tools/list' ? tools : {};
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
  return server.address('lists', 'first');
}

/** The same, and it asks for a sign-in first. */
async function protectedServer(
  capabilities: object,
  { clock, remembered = {} }: { readonly clock: Clock; readonly remembered?: CachedServer },
) {
  const server = await startRawMcpServer();
  const url = oddServer(server, capabilities);
  server.fail(
    { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } },
    ({ headers }) => headers.authorization !== 'Bearer new',
  );
  const signIn = new HeldSignIn();
  signIn.browserOpened = true;
  const bridge = (await composeBridge(url, { authorization: signIn, clock, remembered })).read();
  await bridge.initialize();
  signIn.show(ADDRESS);
  return {
    server,
    signIn,
    bridge,
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

describe('prompts and resources that only the stand-in declared', () => {
  it('are empty at once, and announced when they are there', async () => {
    await using w = await protectedServer(
      { tools: {}, prompts: {} },
      { clock: stillClock(NO_PATIENCE_ENDS) },
    );
    for (const method of ODD_LISTS) {
      expect((await w.bridge.request(method, method)).json.result).toEqual(EMPTY[method]);
    }
    w.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    w.signIn.succeed('new');
    expect((await w.bridge.answer(1)).json.result.tools[0].name).toBe('real');
    await w.bridge.received.waitFor(({ json }) => json.method === 'notifications/prompts/list_changed');
    // Announced in one go: the server has declared no resources, so there is nothing to look for.
    await w.bridge.request(2, 'ping');
    expect(
      w.bridge.received.count(({ json }) => json.method === 'notifications/resources/list_changed'),
    ).toBe(0);
  });

  it('are not waited for if the server did not declare them last time', async () => {
    const initialize = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: {} };
    const clock = stillClock(NO_PATIENCE_ENDS);
    await using w = await protectedServer({ tools: {} }, { clock, remembered: { initialize } });
    expect((await w.bridge.request(1, 'prompts/list')).json.result).toEqual({ prompts: [] });
  });

  it('wait with the tools if the server declared them last time, and are empty when it turns out to have none', async () => {
    const capabilities = { tools: {}, prompts: {}, resources: {} };
    const initialize = { protocolVersion: '2025-06-18', capabilities, serverInfo: {} };
    const clock = stillClock(NO_PATIENCE_ENDS);
    await using w = await protectedServer({ tools: {} }, { clock, remembered: { initialize } });
    for (const method of ODD_LISTS) w.bridge.send({ jsonrpc: '2.0', id: method, method });
    // Answered here, after the lists were taken.
    await w.bridge.request(1, 'ping');
    for (const method of ODD_LISTS) expect(w.bridge.answersTo(method)).toBe(0);
    w.signIn.succeed('new');
    for (const method of ODD_LISTS) {
      expect((await w.bridge.answer(method)).json.result).toEqual(EMPTY[method]);
      expect(w.server.methodCount(method)).toBe(0);
    }
  });
});

describe('a list that the server has not declared', () => {
  it('is answered by the bridge, without a stand-in too', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(oddServer(server, { tools: {} }))).read();
    await bridge.initialize();
    for (const method of ODD_LISTS) {
      expect((await bridge.request(method, method)).json.result).toEqual(EMPTY[method]);
      expect(server.methodCount(method)).toBe(0);
    }
    expect((await bridge.request(1, 'tools/list')).json.result.tools[0].name).toBe('real');
  });

  it('is requested from a server that declares nothing at all', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(oddServer(server, {}))).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/list')).json.result.tools[0].name).toBe('real');
    expect((await bridge.request(2, 'prompts/list')).json.result).toEqual({ prompts: [] });
    expect(server.methodCount('prompts/list')).toBe(1);
  });

  it("is answered by the bridge for a 2026 host that has seen the server's capabilities", async () => {
    await using server = await ModernMcpServer.start();
    server.intercept(({ body }, response) => {
      if (body.method !== 'server/discover') return false;
      const result = {
        resultType: 'complete',
        ttlMs: 0,
        cacheScope: 'private',
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {} },
      };
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: body.id, result }));
      return true;
    });
    await using bridge = (await composeBridge(server.url)).read();
    const params = { _meta: modernMeta };
    expect((await bridge.request(1, 'server/discover', params)).json.result.capabilities).toEqual({
      tools: {},
    });
    expect((await bridge.request(2, 'prompts/list', params)).json.result).toEqual({
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
      prompts: [],
    });
    expect(server.of('prompts/list')).toEqual([]);
  });
});

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

describe('a response that is not a list', () => {
  const capabilities = { tools: {}, prompts: {}, resources: {} };

  it.each(ODD_LISTS)('%s: {} is not relayed, and not remembered', async (method) => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(oddServer(server, capabilities))).read();
    await bridge.initialize();
    expect((await bridge.request(1, method)).json.result).toEqual(EMPTY[method]);
    expect(server.methodCount(method)).toBe(1);
    expect(bridge.remembered.filter(({ lists }) => lists !== undefined)).toEqual([]);
  });

  it('tools/list: the error says what the server sent instead of tools', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(oddServer(server, capabilities, { toolz: [] }))).read();
    await bridge.initialize();
    const { error } = (await bridge.request(1, 'tools/list')).json;
    expect(error).toEqual({
      code: -32000,
      message: `The server answered tools/list without a list of tools: its result has only "toolz".`,
    });
  });

  it('is complete in form for a 2026 host', async () => {
    await using server = await ModernMcpServer.start();
    server.intercept(({ body }, response) => {
      if (body.method !== 'prompts/list') return false;
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: body.id, result: { resultType: 'complete' } }));
      return true;
    });
    await using bridge = (await composeBridge(server.url)).read();
    const { result } = (await bridge.request(1, 'prompts/list', { _meta: modernMeta })).json;
    expect(result).toEqual({ resultType: 'complete', ttlMs: 0, cacheScope: 'private', prompts: [] });
  });
});

describe('a sign-in during a session', () => {
  it('is followed by a change notification for lists that were answered without the server', async () => {
    const { clock, hurry } = hurriedClock(50);
    await using w = await protectedServer({ tools: {} }, { clock });
    w.signIn.succeed('new');
    expect((await w.bridge.request(1, 'tools/list')).json.result.tools[0].name).toBe('real');
    hurry();
    const from = w.bridge.received.entries.length;
    w.server.fail({ kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect((await w.bridge.request(2, 'tools/list')).json.result.tools[0].name).toBe('sign_in');
    w.server.heal();
    w.signIn.succeed('new');
    await w.bridge.received.waitFor(({ json }) => json.method === 'notifications/tools/list_changed', {
      from,
    });
  });
});
