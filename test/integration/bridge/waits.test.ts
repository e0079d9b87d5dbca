import { describe, expect, it } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import type { Behaviour } from '../../peers/mcp-servers/bare/raw-behaviours.ts';
import { type RawMcpServer, startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { startSseMcpServer } from '../../peers/mcp-servers/bare/sse-mcp-server.ts';
import { fastClock } from '../../peers/net/fast-clock.ts';

/** A minute passes in three seconds. */
const SPEED = 20;
const JSON_TYPE = { 'content-type': 'application/json' };
const STREAM_TYPE = { 'content-type': 'text/event-stream' };
const call = (id: number) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'x' } });

/** Does so to the first `initialize` and is well from then on. */
function atFirst(server: RawMcpServer, odd: Behaviour): string {
  server.behaviours.odd = (exchange) => {
    const { rpc } = exchange.request;
    const { response } = exchange;
    if (rpc.method === 'initialize' && server.methodCount('initialize') === 1) return odd(exchange);
    if (rpc.id === undefined) return void response.writeHead(202).end();
    const result =
      rpc.method === 'initialize'
        ? {
            protocolVersion: '2025-11-25',
            capabilities: { tools: {} },
            serverInfo: { name: 'r', version: '0' },
          }
        : { content: [] };
    response.writeHead(200, JSON_TYPE).end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result }));
  };
  return server.address('odd', 'first');
}

const hanging: Record<string, Behaviour> = {
  'no byte of the body': ({ response }) => response.writeHead(200, JSON_TYPE).flushHeaders(),
  'half of the body': ({ response }) => void response.writeHead(200, JSON_TYPE).write('{"jsonrpc":"2.0",'),
  'a stream without an event': ({ response }) => response.writeHead(200, STREAM_TYPE).flushHeaders(),
  'a stream of comments': ({ response }) => void response.writeHead(200, STREAM_TYPE).write(':\n\n'),
};

describe('initialize is not answered', () => {
  it.each(Object.keys(hanging))('%s: it is sent again', async (name) => {
    await using server = await startRawMcpServer();
    const url = atFirst(server, hanging[name] as Behaviour);
    await using bridge = (await composeBridge(url, { clock: fastClock(SPEED), wait: true })).read();
    expect((await bridge.initialize()).json.result).toBeDefined();
    expect((await bridge.request(1, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
    expect(server.methodCount('initialize')).toBe(2);
    expect(bridge.answersTo('init')).toBe(1);
  });

  it('over HTTP+SSE: it is sent again on a new stream', async () => {
    await using server = await startSseMcpServer();
    server.silentOn.add('initialize');
    const options = { clock: fastClock(SPEED), wait: true, remembered: { transport: 'sse' } } as const;
    await using bridge = (await composeBridge(server.url, options)).read();
    bridge.send(call(1));
    await bridge.initialize();
    await server.requests.waitFor(({ rpc }) => rpc?.method === 'initialize');
    server.silentOn.clear();
    expect((await bridge.request(2, 'tools/call', { name: 'x' })).json.result.params).toEqual({ name: 'x' });
    expect(server.streamsOpened).toBe(2);
  });
});

describe('opening a session hangs', () => {
  it('notifications/initialized is not accepted: messages go out all the same', async () => {
    await using server = await startRawMcpServer();
    server.fail({ kind: 'black-hole' }, ({ body }) => body.includes('notifications/initialized'));
    await using bridge = (await composeBridge(server.address(), { clock: fastClock(SPEED) })).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
  });

  it.each(['POST', 'stream'])('restoring hangs at %s: messages go out all the same', async (where) => {
    await using server = await startRawMcpServer({ session: 's' });
    server.behaviours.forgetful = (exchange) => {
      const { rpc } = exchange.request;
      if (rpc.method === 'logging/setLevel' && server.methodCount('initialize') === 2) {
        if (where === 'stream') exchange.response.writeHead(200, STREAM_TYPE).flushHeaders();
        return;
      }
      return server.behaviours.well?.(exchange);
    };
    await using bridge = (
      await composeBridge(server.address('forgetful'), { clock: fastClock(SPEED) })
    ).read();
    await bridge.initialize();
    await bridge.request(1, 'logging/setLevel', { level: 'debug' });
    server.fail({ kind: 'answer', status: 404 }, ({ body }) => body.includes('"id":2'), 1);
    expect((await bridge.request(2, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
    expect(server.methodCount('initialize')).toBe(2);
  });
});

describe('a notification that the server does not accept', () => {
  const hung = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' };

  it("does not delay responses to the server's requests", async () => {
    await using server = await startRawMcpServer({ stream: true });
    server.fail({ kind: 'black-hole' }, ({ body }) => body.includes('list_changed'));
    // In real time: the notification is given up long after the answer has come.
    await using bridge = (await composeBridge(server.address())).read();
    await bridge.initialize({ capabilities: { roots: {} } });
    await expect.poll(() => server.streamsOpen, { timeout: 10_000 }).toBe(1);
    bridge.send(hung);
    await server.requests.waitFor(({ rpc }) => rpc.method === hung.method);
    server.push('data: {"jsonrpc":"2.0","id":"ask","method":"roots/list"}\n\n');
    await bridge.received.waitFor(({ json }) => json.method === 'roots/list');
    bridge.send({ jsonrpc: '2.0', id: 'ask', result: { roots: [] } });
    await server.requests.waitFor(({ rpc }) => rpc.id === 'ask');
  });

  it('is abandoned, and the next one goes out', async () => {
    await using server = await startRawMcpServer();
    server.fail({ kind: 'black-hole' }, ({ body }) => body.includes('list_changed'));
    await using bridge = (await composeBridge(server.address(), { clock: fastClock(SPEED) })).read();
    await bridge.initialize();
    bridge.send(hung, { jsonrpc: '2.0', method: 'notifications/next' });
    await server.requests.waitFor(({ rpc }) => rpc.method === 'notifications/next');
  });

  it('relays what the server sends on a stream instead of accepting it', async () => {
    await using server = await startRawMcpServer();
    server.behaviours.talkative = (exchange) => {
      if (exchange.request.rpc.method !== hung.method) {
        if (exchange.request.rpc.method === 'initialize') return atOnce(exchange);
        return void exchange.response.writeHead(202).end();
      }
      exchange.response.writeHead(200, STREAM_TYPE);
      exchange.response.write('data: {"jsonrpc":"2.0","method":"notifications/heard"}\n\n');
    };
    await using bridge = (await composeBridge(server.address('talkative', 'first'))).read();
    await bridge.initialize();
    bridge.send(hung, { jsonrpc: '2.0', method: 'notifications/next' });
    await bridge.received.waitFor(({ json }) => json.method === 'notifications/heard');
    await server.requests.waitFor(({ rpc }) => rpc.method === 'notifications/next');
  });
});

const atOnce: Behaviour = ({ request, response }) => {
  const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'r', version: '0' } };
  response.writeHead(200, JSON_TYPE).end(JSON.stringify({ jsonrpc: '2.0', id: request.rpc.id, result }));
};

describe('a request that is accepted with 202', () => {
  async function accepted(server: RawMcpServer) {
    const bridge = (await composeBridge(server.address('accepted'), { clock: fastClock(SPEED) })).read();
    await bridge.initialize();
    await expect.poll(() => server.streamsOpen, { timeout: 10_000 }).toBe(1);
    bridge.send(call(1));
    await server.requests.waitFor(({ rpc }) => rpc.id === 1);
    return bridge;
  }

  it("gets its response over the server's own stream", async () => {
    await using server = await startRawMcpServer({ stream: true });
    await using bridge = await accepted(server);
    server.push('data: {"jsonrpc":"2.0","id":1,"result":{"late":true}}\n\n');
    expect((await bridge.answer(1)).json.result).toEqual({ late: true });
  });

  it('may get its response after that stream was away for a moment', async () => {
    await using server = await startRawMcpServer({ stream: true });
    await using bridge = await accepted(server);
    server.endStreams();
    await server.requests.until(() => server.requests.count(({ method }) => method === 'GET') === 2);
    await expect.poll(() => server.streamsOpen, { timeout: 10_000 }).toBe(1);
    server.push('data: {"jsonrpc":"2.0","id":1,"result":{"late":true}}\n\n');
    expect((await bridge.answer(1)).json.result).toEqual({ late: true });
  });

  it.each([
    ['ends for good', { kind: 'answer', status: 405 }],
    ['stays away', { kind: 'answer', status: 503 }],
    ['hangs when it is opened again', { kind: 'black-hole' }],
  ] as const)('fails when that stream %s', async (_name, fault) => {
    await using server = await startRawMcpServer({ stream: true });
    await using bridge = await accepted(server);
    server.fail(fault, ({ method }) => method === 'GET');
    server.endStreams();
    const { json } = await bridge.answer(1, 0);
    expect(json.error.data).toEqual({ mayHaveRun: true });
    expect(json.error.message).toContain('may have run');
    // The same for what comes after it.
    expect((await bridge.request(2, 'tools/call', { name: 'x' })).json.error.data).toEqual({
      mayHaveRun: true,
    });
    expect(bridge.answersTo(1)).toBe(1);
  });

  it('fails when its session is lost', async () => {
    await using server = await startRawMcpServer({ stream: true, session: 's' });
    await using bridge = await accepted(server);
    server.fail({ kind: 'answer', status: 404 }, ({ method }) => method === 'GET', 1);
    server.endStreams();
    expect((await bridge.answer(1)).json.error.data).toEqual({ mayHaveRun: true });
    await server.requests.until(() => server.methodCount('initialize') === 2);
  });
});

describe('a modern host with a legacy server that hangs while the bridge opens the session', () => {
  const modern = (id: number) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'x', arguments: {}, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
  });

  it.each(Object.keys(hanging))('%s: its call is sent in a reopened session', async (name) => {
    await using server = await startRawMcpServer();
    const url = atFirst(server, hanging[name] as Behaviour);
    const bridge = await composeBridge(url, {
      remembered: { era: 'legacy' },
      clock: fastClock(SPEED),
      wait: true,
    });
    await using _ = bridge.read();
    bridge.send(modern(1));
    expect((await bridge.answer(1)).json.result.content).toEqual([]);
    expect(server.methodCount('tools/call')).toBe(1);
  });

  it('notifications/initialized is not accepted: the call goes out all the same', async () => {
    await using server = await startRawMcpServer();
    server.fail({ kind: 'black-hole' }, ({ body }) => body.includes('notifications/initialized'));
    const bridge = await composeBridge(server.address(), {
      remembered: { era: 'legacy' },
      clock: fastClock(SPEED),
    });
    await using _ = bridge.read();
    bridge.send(modern(1));
    expect((await bridge.answer(1)).json.result.content).toEqual([]);
  });

  it('a cancellation ends the opening if nothing else waits for it, and the next call opens a session', async () => {
    await using server = await startRawMcpServer();
    let closed = 0;
    const url = atFirst(server, ({ response }) => {
      response.writeHead(200, JSON_TYPE).flushHeaders();
      response.once('close', () => closed++);
    });
    // In real time: no limit is reached in this test.
    const bridge = await composeBridge(url, { remembered: { era: 'legacy' } });
    await using _ = bridge.read();
    const cancel = (requestId: number) => ({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId },
    });
    bridge.send(modern(1), modern(2));
    await server.requests.waitFor(({ rpc }) => rpc.method === 'initialize');
    bridge.send(cancel(1));
    expect(closed).toBe(0);
    bridge.send(cancel(2));
    await expect.poll(() => closed, { timeout: 10_000 }).toBe(1);
    bridge.send(modern(3));
    expect((await bridge.answer(3)).json.result.content).toEqual([]);
    expect(bridge.answersTo(1) + bridge.answersTo(2)).toBe(0);
    expect(server.methodCount('initialize')).toBe(2);
    expect(server.methodCount('tools/call')).toBe(1);
  });
});

describe('a legacy host with a modern server that hangs', () => {
  /** A server of 2026-07-28 that answers each method so; what is not named hangs. */
  function modernServer(server: RawMcpServer, results: Record<string, object>): string {
    server.behaviours.modern = ({ request, response }) => {
      const { id, method = '' } = request.rpc;
      const answer = results[method];
      if (answer === undefined) return;
      const isError = 'error' in answer;
      response
        .writeHead(isError ? 400 : 200, JSON_TYPE)
        .end(JSON.stringify({ jsonrpc: '2.0', id, ...(isError ? answer : { result: answer }) }));
    };
    return server.address('modern', 'first');
  }
  const discovered = {
    resultType: 'complete',
    ttlMs: 0,
    cacheScope: 'private',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {}, resources: { subscribe: true } },
  };

  it('in a subscription: the host gets an error', async () => {
    await using server = await startRawMcpServer();
    const url = modernServer(server, { 'server/discover': discovered });
    const bridge = await composeBridge(url, { remembered: { era: 'modern' }, clock: fastClock(SPEED) });
    await using _ = bridge.read();
    await bridge.initialize();
    const { json } = await bridge.request(1, 'resources/subscribe', { uri: 'file:///x' });
    expect(json.error.message).toContain('acknowledgement');
  });

  it('in the list of tools that a refused call needs: the call gets its refusal', async () => {
    await using server = await startRawMcpServer();
    const refusal = { error: { code: -32020, message: 'header mismatch' } };
    const url = modernServer(server, { 'server/discover': discovered, 'tools/call': refusal });
    const bridge = await composeBridge(url, { remembered: { era: 'modern' }, clock: fastClock(SPEED) });
    await using _ = bridge.read();
    await bridge.initialize();
    const { json } = await bridge.request(1, 'tools/call', { name: 'x', arguments: {} });
    expect(json.error.message).toContain('header mismatch');
    expect(server.methodCount('tools/list')).toBe(1);
  });
});

it('the host answers a burst of server requests: no wait for a turn is left behind', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  try {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address())).read();
    await bridge.initialize();
    const isAnswer = ({ rpc }: { readonly rpc: { readonly id?: unknown; readonly method?: string } }) =>
      rpc.method === undefined && rpc.id !== undefined;
    const ids = Array.from({ length: 20 }, (_, at) => at);
    for (const id of ids) bridge.send({ jsonrpc: '2.0', id, result: {} });
    await server.requests.until(() => server.requests.count(isAnswer) === ids.length);
  } finally {
    process.off('warning', onWarning);
  }
  expect(warnings).toEqual([]);
});
