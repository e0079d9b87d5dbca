import type { ServerResponse } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/platform/log/logger.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { type ComposedBridge, composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { ModernMcpServer, type ModernRequestSeen } from '../../peers/mcp-servers/modern-mcp-server.ts';
import { stillClock } from '../../peers/net/fast-clock.ts';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
};

/** A modern request as text, the parameters as they are given. */
const modern = (id: string | number, method: string, params = '') =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"${method}","params":{${params}${params === '' ? '' : ','}"_meta":${JSON.stringify(META)}}}`;

const reply = (response: ServerResponse, body: string, status = 200) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  return true;
};

const discovered = (id: unknown) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    result: {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      ttlMs: 0,
      cacheScope: 'private',
      capabilities: { tools: {} },
    },
  });

const notified = (bridge: ComposedBridge, method: string, from = 0) =>
  bridge.received.waitFor(({ json }) => json.method === method, { what: method, from });

/** What is loaded when it is first wanted is loaded before the time of a test begins. */
beforeAll(async () => {
  await using server = await ModernMcpServer.start();
  await using older = await startMcpServer({});
  for (const { url } of [server, older]) {
    const host = await composeBridge(url);
    await using _host = host.read();
    host.send(modern('d', 'server/discover'));
    await host.answer('d');
    const legacy = await composeBridge(url);
    await using _legacy = legacy.read();
    await legacy.initialize();
  }
});

describe('a 2025 host with a 2026 server', () => {
  it("detects it without a probe, and repeats the host's own client info to the server", async () => {
    await using server = await ModernMcpServer.start();
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    const initializeAnswer = await bridge.initialize({
      protocolVersion: '2025-06-18',
      capabilities: { roots: {}, tasks: {} },
    });
    expect(initializeAnswer.json.result).toMatchObject({
      protocolVersion: '2025-06-18',
      serverInfo: { name: 'modern-peer' },
      instructions: 'Ask nicely.',
    });
    await bridge.request(1, 'tools/call', { name: 'echo', arguments: { value: 1 } });
    expect(server.requests.entries.map(({ body }) => body.method).slice(0, 2)).toEqual([
      'initialize',
      'server/discover',
    ]);
    const [call] = server.of('tools/call') as [ModernRequestSeen];
    expect(call.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    });
    expect(call.headers['mcp-session-id']).toBeUndefined();
    expect(call.body.params._meta).toEqual({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test-host', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { roots: {} },
    });
  });

  it('does not probe when the era is remembered, and probes again when the memory is wrong', async () => {
    await using server = await ModernMcpServer.start();
    const known = await composeBridge(server.url, { remembered: { era: 'modern' } });
    await using _known = known.read();
    await known.initialize();
    expect(server.of('initialize')).toEqual([]);
    await using older = await startMcpServer({});
    const wrong = await composeBridge(older.url, { remembered: { era: 'modern' } });
    await using _wrong = wrong.read();
    await wrong.initialize();
    expect(wrong.erasFound).toEqual(['legacy']);
    expect(
      (await wrong.request(1, 'tools/call', { name: 'echo', arguments: { value: 2 } })).json.result,
    ).toBeDefined();
  });

  it('returns the state of an input request byte for byte, and numbers too large for JavaScript', async () => {
    await using server = await ModernMcpServer.start();
    let state = '';
    server.intercept(({ body }, response) => {
      if (body.method === 'server/discover') return reply(response, discovered(body.id));
      if (body.method !== 'tools/call') return false;
      if (body.params.requestState === undefined) {
        const questions =
          '{"k\\u0065y":{"method":"elicitation/create","params":{"message":"?","big":12345678901234567890}}}';
        return reply(
          response,
          `{"jsonrpc":"2.0","id":${body.id},"result":{"resultType":"input_required","requestState":"a\\u00e9\\/\\ud83d\\ude00","inputRequests":${questions}}}`,
        );
      }
      state = body.params.requestState;
      return reply(
        response,
        `{"jsonrpc":"2.0","id":"${body.id}","result":{"resultType":"complete","ttlMs":1,"content":[],"big":98765432109876543210,"answers":${JSON.stringify(body.params.inputResponses)}}}`,
      );
    });
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    await bridge.initialize({ capabilities: { elicitation: {} } });
    bridge.send(
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","arguments":{"n":11111111111111111111}}}',
    );
    const asked = await notified(bridge, 'elicitation/create');
    expect(asked.line).toContain('"big":12345678901234567890');
    bridge.send({ jsonrpc: '2.0', id: asked.json.id, result: { action: 'accept', content: { a: 1 } } });
    const { line } = await bridge.answer(7);
    expect(line).toBe(
      '{"jsonrpc":"2.0","id":7,"result":{"content":[],"big":98765432109876543210,"answers":{"key":{"action":"accept","content":{"a":1}}}}}',
    );
    expect(state).toBe('aé/😀');
    const [first, second] = server.of('tools/call') as [ModernRequestSeen, ModernRequestSeen];
    expect(first.body.id).toBe(7);
    expect(second.body.id).not.toBe(7);
  });

  it('ends a call whose server asks for input endlessly, or whose result is of an unknown kind', async () => {
    await using server = await ModernMcpServer.start();
    server.intercept(({ body }, response) => {
      if (body.method === 'server/discover') return reply(response, discovered(body.id));
      if (body.method !== 'tools/call') return false;
      const result =
        body.params.name === 'odd'
          ? { resultType: 'task' }
          : { resultType: 'input_required', inputRequests: { a: { method: 'roots/list' } } };
      return reply(response, JSON.stringify({ jsonrpc: '2.0', id: body.id, result }));
    });
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    await bridge.initialize({ capabilities: { roots: {} } });
    bridge.received.onEntry(({ json }) => {
      if (json.method === 'roots/list') bridge.send({ jsonrpc: '2.0', id: json.id, result: { roots: [] } });
    });
    const endless = await bridge.request(1, 'tools/call', { name: 'endless' });
    expect(endless.json.error.message).toContain('more than 10 times');
    expect(server.of('tools/call').length).toBe(11);
    expect((await bridge.request(2, 'tools/call', { name: 'odd' })).json.error.message).toContain(
      'unknown resultType',
    );
  });

  it('receives list and resource changes, from the response to subscribe on, and after the stream broke', async () => {
    await using server = await ModernMcpServer.start();
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    await bridge.initialize();
    await server.requests.waitFor(({ body }) => body.method === 'subscriptions/listen');
    expect((await bridge.request(1, 'resources/subscribe', { uri: 'note://one' })).json.result).toEqual({});
    server.notify.resourceUpdated('note://one');
    const updated = await notified(bridge, 'notifications/resources/updated');
    expect(updated.json.params).toEqual({ uri: 'note://one' });
    server.notify.toolsChanged();
    await notified(bridge, 'notifications/tools/list_changed');
    const before = bridge.received.entries.length;
    server.breakConnections();
    await notified(bridge, 'notifications/resources/updated', before);
    expect((await bridge.request(2, 'resources/unsubscribe', { uri: 'note://one' })).json.result).toEqual({});
    const last = server.of('subscriptions/listen').at(-1);
    expect(last?.body.params.notifications.resourceSubscriptions).toBeUndefined();
  });

  it('sends the log level with each request, answers ping itself, and refuses tasks', async () => {
    await using server = await ModernMcpServer.start();
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    await bridge.initialize();
    expect((await bridge.request(1, 'ping')).json.result).toEqual({});
    await bridge.request(2, 'tools/call', { name: 'log', arguments: { data: 'unheard' } });
    expect((await bridge.request(3, 'logging/setLevel', { level: 'info' })).json.result).toEqual({});
    await bridge.request(4, 'tools/call', { name: 'log', arguments: { data: 'heard' } });
    const logged = bridge.received.entries.filter(({ json }) => json.method === 'notifications/message');
    expect(logged.map(({ json }) => json.params.data)).toEqual(['heard']);
    expect((await bridge.request(5, 'tasks/list')).json.error.code).toBe(-32601);
    expect(
      server.requests.entries.some(({ body }) => body.method === 'ping' || body.method === 'tasks/list'),
    ).toBe(false);
  });

  it('cancels by closing the stream, without a pause and with no message', async () => {
    await using server = await ModernMcpServer.start({ responseMode: 'sse' });
    const bridge = await composeBridge(server.url, { clock: stillClock() });
    await using _bridge = bridge.read();
    await bridge.initialize();
    bridge.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'slow', arguments: { name: 'a' } },
    });
    await server.calls.started('a');
    bridge.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    await server.calls.cancelled('a');
    expect(server.of('notifications/cancelled')).toEqual([]);
    expect(bridge.answersTo(1)).toBe(0);
  });
});

describe('a 2026 server with header annotations', () => {
  const tool = (name: string, header: string) => ({
    name,
    inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': header } } },
  });

  it.each(['legacy', 'modern'] as const)(
    'a %s host: invalid tools are left out and logged, and a stale list is read again',
    async (era) => {
      await using server = await ModernMcpServer.start();
      let header = 'Region';
      server.intercept(({ body, headers }, response) => {
        const { id, method } = body;
        if (method === 'server/discover') return reply(response, discovered(id));
        const result = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
        if (method === 'tools/list') {
          const tools = [tool('good', header), tool('bad', 'not a name')];
          return reply(response, JSON.stringify({ jsonrpc: '2.0', id, result: { ...result, tools } }));
        }
        if (method !== 'tools/call') return false;
        if (headers[`mcp-param-${header.toLowerCase()}`] === undefined) {
          return reply(
            response,
            JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32020, message: 'Header mismatch' } }),
            400,
          );
        }
        return reply(response, JSON.stringify({ jsonrpc: '2.0', id, result: { ...result, content: [] } }));
      });
      const warnings: string[] = [];
      const logger: Logger = {
        ...silentLogger,
        warn: (_, fields) => void warnings.push(String(fields?.tool)),
      };
      const bridge = await composeBridge(server.url, { remembered: { era: 'modern' }, logger });
      await using _bridge = bridge.read();
      if (era === 'legacy') await bridge.initialize();
      const ask = (id: number, method: string, params = '') => {
        if (era === 'modern') bridge.send(modern(id, method, params));
        else bridge.send(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{${params}}}`);
        return bridge.answer(id);
      };
      const list = await ask(1, 'tools/list');
      expect(list.json.result.tools.map(({ name }: { name: string }) => name)).toEqual(['good']);
      expect(list.json.result.resultType).toBe(era === 'modern' ? 'complete' : undefined);
      expect(warnings).toEqual(['bad']);
      const call = '"name":"good","arguments":{"region":"Łódź"}';
      expect((await ask(2, 'tools/call', call)).json.result.content).toEqual([]);
      expect(server.of('tools/call').at(-1)?.headers['mcp-param-region']).toBe('=?base64?xYHDs2TFug==?=');
      header = 'Place';
      expect((await ask(3, 'tools/call', call)).json.result.content).toEqual([]);
      expect(server.of('tools/call').length).toBe(3);
      header = 'Nowhere';
      server.intercept(({ body }, response) =>
        reply(
          response,
          JSON.stringify({ jsonrpc: '2.0', id: body.id, error: { code: -32020, message: 'never' } }),
          400,
        ),
      );
      expect((await ask(4, 'tools/call', call)).json.error.code).toBe(-32020);
    },
  );
});

describe('a 2026 host', () => {
  it('is served by a server that was a 2025 one last time', async () => {
    await using server = await ModernMcpServer.start();
    const bridge = await composeBridge(server.url, { remembered: { era: 'legacy' } });
    await using _bridge = bridge.read();
    bridge.send(modern(1, 'tools/call', '"name":"echo","arguments":{"value":3}'));
    expect((await bridge.answer(1)).json.result.content).toEqual([{ type: 'text', text: '3' }]);
    expect(bridge.erasFound).toEqual(['modern']);
    expect(server.of('tools/call').length).toBe(1);
  });

  it('has its messages relayed unchanged', async () => {
    await using server = await ModernMcpServer.start();
    const odd =
      '{"jsonrpc":"2.0","id":3,"result":{"big":12345678901234567890,  "resultType":"complete","x":{"\\u0061":1}}}';
    let bytes = '';
    server.intercept(({ body }, response) => {
      if (body.method !== 'x/unknown') return false;
      bytes = JSON.stringify(body);
      return reply(response, odd);
    });
    const bridge = await composeBridge(server.url, { remembered: { era: 'modern' } });
    await using _bridge = bridge.read();
    const sent = modern(3, 'x/unknown', '"extra":[1]');
    bridge.send(sent);
    expect((await bridge.answer(3)).line).toBe(odd);
    expect(bytes).toBe(sent);
  });

  it('with a 2025 server: one session for all, log level per request, changes by subscription', async () => {
    await using server = await startMcpServer({});
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    bridge.send(modern('d', 'server/discover'));
    const discovery = (await bridge.answer('d')).json.result;
    expect(discovery).toMatchObject({ supportedVersions: ['2026-07-28'], resultType: 'complete' });
    expect(discovery._meta['io.modelcontextprotocol/serverInfo'].name).toBe('peer');
    bridge.send(modern(1, 'tools/list'), modern(2, 'prompts/list'));
    expect((await bridge.answer(1)).json.result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
    await bridge.answer(2);
    expect(server.counters.sessionsOpened).toBe(1);
    bridge.send(
      modern(
        's',
        'subscriptions/listen',
        '"notifications":{"toolsListChanged":true,"resourceSubscriptions":["note://one"]}',
      ),
    );
    const ack = await notified(bridge, 'notifications/subscriptions/acknowledged');
    expect(ack.json.params).toEqual({
      _meta: { 'io.modelcontextprotocol/subscriptionId': 's' },
      notifications: { toolsListChanged: true, resourceSubscriptions: ['note://one'] },
    });
    await server.events.waitFor((event) => event.kind === 'stream-opened');
    await server.servers[0]?.sendToolListChanged();
    const changed = await notified(bridge, 'notifications/tools/list_changed');
    expect(changed.json.params._meta['io.modelcontextprotocol/subscriptionId']).toBe('s');
    await server.servers[0]?.server.sendResourceUpdated({ uri: 'note://one' });
    await notified(bridge, 'notifications/resources/updated');
    bridge.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 's' } });
    await server.events.waitFor((event) => event.kind === 'unsubscribed');
    await bridge.end();
    expect(server.counters.sessionsClosed).toBe(1);
  });

  it('with a 2025 server: a forged or reused state gets an error, a missing answer is requested again', async () => {
    await using server = await startMcpServer({});
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    const call = '"name":"elicit","arguments":{"message":"Who?"}';
    bridge.send(modern(1, 'tools/call', call));
    const asked = (await bridge.answer(1)).json.result;
    expect(asked).toMatchObject({ resultType: 'input_required' });
    expect(asked.inputRequests.input).toMatchObject({
      method: 'elicitation/create',
      params: { message: 'Who?' },
    });
    const retry = async (
      id: number,
      state: string,
      responses = '"inputResponses":{"input":{"action":"accept","content":{"name":"Ada"}}}',
    ) => {
      bridge.send(modern(id, 'tools/call', `${call},"requestState":${JSON.stringify(state)},${responses}`));
      return (await bridge.answer(id)).json;
    };
    expect((await retry(2, `${asked.requestState}x`)).error.code).toBe(-32602);
    const again = (await retry(3, asked.requestState, '"inputResponses":{}')).result;
    expect(again.resultType).toBe('input_required');
    expect(JSON.stringify((await retry(4, again.requestState)).result.content)).toContain('Ada');
    expect((await retry(5, again.requestState)).error.code).toBe(-32602);
    expect(server.methodCount('tools/call')).toBe(1);
  });

  it('with a 2025 server that loses the session: one new one, each call once more', async () => {
    await using server = await startMcpServer({});
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    bridge.send(modern(1, 'tools/call', '"name":"echo","arguments":{"value":1}'));
    await bridge.answer(1);
    await server.loseSessions();
    for (const id of [2, 3, 4])
      bridge.send(modern(id, 'tools/call', `"name":"echo","arguments":{"value":${id}}`));
    for (const id of [2, 3, 4])
      expect((await bridge.answer(id)).json.result.content[0].text).toBe(String(id));
    expect(server.counters.sessionsOpened).toBe(2);
  });

  it('gets an error that makes it fall back when nothing is known, and is served after initialize', async () => {
    await using server = await ModernMcpServer.start();
    server.intercept(({ body }) => body.method === 'server/discover' && body.id === 'd');
    const bridge = await composeBridge(server.url);
    await using _bridge = bridge.read();
    bridge.send(modern('d', 'server/discover'));
    expect((await bridge.answer('d')).json.error.code).toBe(-32601);
    expect((await bridge.initialize()).json.result.serverInfo.name).toBe('modern-peer');
    expect(
      (await bridge.request(1, 'tools/call', { name: 'echo', arguments: { value: 1 } })).json.result,
    ).toBeDefined();
  });

  it('is answered from last time when the server is remembered and away', async () => {
    await using server = await ModernMcpServer.start();
    server.intercept(({ body }) => body.method === 'server/discover');
    const initialize = { capabilities: { tools: {} }, serverInfo: { name: 'known', version: '1' } };
    const bridge = await composeBridge(server.url, {
      remembered: { era: 'modern', initialize },
    });
    await using _bridge = bridge.read();
    bridge.send(modern('d', 'server/discover'));
    const { result } = (await bridge.answer('d')).json;
    expect(result).toMatchObject({
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      ttlMs: 0,
    });
    expect(result._meta['io.modelcontextprotocol/serverInfo'].name).toBe('known');
  });
});
