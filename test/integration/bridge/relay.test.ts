import { describe, expect, it } from 'vitest';
import { faults } from '../../peers/faults/faults.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { carries, isGet, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';

const call = (name: string, args: Record<string, unknown> = {}) => ({ name, arguments: args });

describe.each([
  { stateful: true, json: true },
  { stateful: true, json: false },
  { stateful: false, json: true },
  { stateful: false, json: false },
])('relay to the SDK server, stateful $stateful, JSON replies $json', (options) => {
  it('serves a session from initialize to DELETE', async () => {
    await using server = await startMcpServer(options);
    await using bridge = (await composeBridge(server.url)).read();
    const initializeAnswer = await bridge.initialize();
    expect(initializeAnswer.json.result.protocolVersion).toBe('2025-11-25');
    const list = await bridge.request(0, 'tools/list');
    expect(list.json.result.tools.map((tool: { name: string }) => tool.name)).toContain('echo');
    const added = await bridge.request('two', 'tools/call', call('add', { a: 2, b: 3 }));
    expect(added.json.result.structuredContent).toEqual({ sum: 5 });
    await bridge.end();
    expect(server.counters.initializes).toBe(1);
    expect(server.counters.sessionsOpened).toBe(options.stateful ? 1 : 0);
    expect(server.counters.sessionsClosed).toBe(options.stateful ? 1 : 0);
  });

  it('answers each of many concurrent requests once', async () => {
    await using server = await startMcpServer(options);
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    const ids = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? index : `s${index}`));
    const answers = await Promise.all(
      ids.map((id) => bridge.request(id, 'tools/call', call('echo', { value: id }))),
    );
    for (const [index, id] of ids.entries()) {
      expect(answers[index]?.json.result.content[0].text).toBe(JSON.stringify(id));
      expect(bridge.answersTo(id)).toBe(1);
    }
  });
});

describe('order', () => {
  it('serves a host that writes everything at once, initialize first and initialized accepted before the rest', async () => {
    await using server = await startMcpServer({ latencyMs: 30 });
    await using bridge = (await composeBridge(server.url)).read();
    bridge.send(
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-06-18',
          capabilities: {},
          clientInfo: { name: 'burst', version: '1' },
        },
      },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 2, method: 'tools/list' },
      { jsonrpc: '2.0', id: 3, method: 'tools/call', params: call('echo', { value: 1 }) },
    );
    await Promise.all([bridge.answer(2), bridge.answer(3)]);
    const methods = server.requests.entries
      .filter((r) => r.method === 'POST')
      .map((r) => JSON.parse(r.body).method);
    expect(methods.slice(0, 2)).toEqual(['initialize', 'notifications/initialized']);
    expect(new Set(methods.slice(2))).toEqual(new Set(['tools/list', 'tools/call']));
    expect(server.requests.entries[2]?.headers['mcp-protocol-version']).toBe('2025-06-18');
  });

  it('sends a cancellation promptly, after the request that it names', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    bridge.send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: call('slow', { name: 'a' }) });
    await server.calls.started('a');
    bridge.send({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 7, reason: 'no longer' },
    });
    await server.calls.cancelled('a');
    expect(bridge.answersTo(7)).toBe(0);
  });

  it('never sends a request that was cancelled before it left, nor its cancellation', async () => {
    await using server = await startMcpServer({ latencyMs: 50 });
    await using bridge = (await composeBridge(server.url)).read();
    bridge.send(
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-06-18',
          capabilities: {},
          clientInfo: { name: 'burst', version: '1' },
        },
      },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 7, method: 'tools/call', params: call('slow', { name: 'a' }) },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } },
      { jsonrpc: '2.0', id: 8, method: 'tools/list' },
    );
    await bridge.answer(8);
    expect(server.methodCount('tools/call')).toBe(0);
    expect(server.methodCount('notifications/cancelled')).toBe(0);
  });
});

describe('messages that the server starts', () => {
  it('opens the GET stream after initialized and relays notifications over it', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    await server.events.waitFor((event) => event.kind === 'stream-opened');
    await server.servers[0]?.server.sendToolListChanged();
    await bridge.received.waitFor(({ json }) => json.method === 'notifications/tools/list_changed');
    expect(server.counters.initializes).toBe(1);
  });

  it('works without the stream where GET is refused', async () => {
    await using server = await startMcpServer({});
    server.fail({ kind: 'answer', status: 405 }, isGet);
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    await server.requests.waitFor((request) => request.method === 'GET');
    expect((await bridge.request(1, 'tools/list')).json.result.tools).toBeDefined();
    expect(server.requests.count((request) => request.method === 'GET')).toBe(1);
  });

  it('relays requests of the server to the host, and the responses back', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize({ capabilities: { roots: {} } });
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call('roots') });
    const asked = await bridge.received.waitFor(({ json }) => json.method === 'roots/list');
    bridge.send({ jsonrpc: '2.0', id: asked.json.id, result: { roots: [{ uri: 'file:///x' }] } });
    expect((await bridge.answer(1)).json.result.content[0].text).toContain('file:///x');
  });
});

describe('lost sessions', () => {
  it('opens one new session for all concurrent failed calls, runs each once, restores level and subscriptions', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    await bridge.request('level', 'logging/setLevel', { level: 'error' });
    await bridge.request('sub', 'resources/subscribe', { uri: 'note://one' });
    await server.loseSessions();
    const ids = Array.from({ length: 10 }, (_, index) => index);
    const answers = await Promise.all(
      ids.map((id) => bridge.request(id, 'tools/call', call('echo', { value: id }))),
    );
    expect(answers.map(({ json }) => json.result.content[0].text)).toEqual(ids.map(String));
    expect(server.counters.initializes).toBe(2);
    expect(server.methodCount('logging/setLevel')).toBe(2);
    expect(server.events.count((event) => event.kind === 'subscribed')).toBe(2);
    expect(bridge.answersTo('level')).toBe(1);
    expect(bridge.answersTo('init')).toBe(1);
  });

  it('restores level and subscriptions with the bytes the host wrote: large integers, names and order', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    const level = '{ "level":"error","_meta":{"vendor/trace":12345678901234567890} }';
    const one = '{"_meta":{"vendor/z":1.0,"vendor/a":9007199254740993},"uri":"note:\\/\\/one"}';
    bridge.send(`{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":${level}}`);
    bridge.send(`{"method":"resources/subscribe","params":${one},"jsonrpc":"2.0","id":2}`);
    await Promise.all([bridge.answer(1), bridge.answer(2)]);
    await server.loseSessions();
    await bridge.request(3, 'tools/call', call('echo', { value: 3 }));
    const asked = (params: string) =>
      server.requests.entries
        .filter(({ body }) => body.includes(`"params":${params}`))
        .map(({ body }) => body);
    for (const params of [level, one]) {
      const [first = '', again = '', ...more] = asked(params);
      expect(more).toEqual([]);
      expect(JSON.parse(again)).toEqual({ ...JSON.parse(first), id: expect.stringMatching(/^drawbridge-/) });
    }
    expect(server.counters.initializes).toBe(2);
  });

  it('answers with an error when a server loses sessions again and again, without a loop', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    server.fail({ kind: 'answer', status: 404 }, carries('tools/call'));
    const answer = await bridge.request(1, 'tools/call', call('echo', { value: 1 }));
    expect(answer.json.error.message).toContain('lost the session');
    expect(server.counters.initializes).toBe(3);
  });
});

describe('an unavailable server', () => {
  it('waits for Retry-After, then sends again', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    server.fail(faults.tooMany('0'), carries('tools/call'), 2);
    const answer = await bridge.request(1, 'tools/call', call('echo', { value: 1 }));
    expect(answer.json.result).toBeDefined();
    expect(server.methodCount('tools/call')).toBe(3);
  });

  it('answers with an error when Retry-After exceeds the limit', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    server.fail(faults.unavailableFor('86400'), carries('tools/call'));
    const answer = await bridge.request(1, 'tools/call', call('echo', { value: 1 }));
    expect(answer.json.error.message).toContain('503');
    expect(server.methodCount('tools/call')).toBe(1);
  });

  it('keeps running, stands in, recovers by itself, and notifies the host', async () => {
    const server = await startMcpServer({});
    const url = server.url;
    await server.stop();
    await using bridge = (await composeBridge(url)).read();
    const initializeAnswer = await bridge.initialize();
    expect(initializeAnswer.json.result.serverInfo.name).toBe('mcp-drawbridge');
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    await server.start();
    expect((await bridge.answer(1)).json.result.tools.length).toBeGreaterThan(3);
    await bridge.end();
    await server.stop();
  });

  it('sends unsent calls when the server is back, and never resends a sent one', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    server.fail(faults.reset, carries('tools/call'), 1);
    const broken = await bridge.request(1, 'tools/call', call('echo', { value: 1 }));
    expect(broken.json.error.data).toEqual({ mayHaveRun: true, check: 'tcp' });
    expect(server.methodCount('tools/call')).toBe(1);
    await server.stop();
    bridge.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call('echo', { value: 2 }) });
    await server.start();
    expect((await bridge.answer(2)).json.result.content[0].text).toBe('2');
  });
});

describe('the end', () => {
  it('answers pending requests, then ends the session', async () => {
    await using server = await startMcpServer({});
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call('slow', { name: 'a' }) });
    await server.calls.started('a');
    const ended = bridge.end();
    await server.calls.release('a');
    await ended;
    expect(bridge.answersTo(1)).toBe(1);
    expect((await bridge.answer(1)).json.result.content[0].text).toBe('released');
    expect(server.counters.sessionsClosed).toBe(1);
  });
});
