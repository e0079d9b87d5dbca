import { describe, expect, it } from 'vitest';
import type { Authorization, Bearer } from '../../../src/auth/authorization.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { ODD_RESULT } from '../../peers/mcp-servers/bare/raw-behaviours.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { startSseMcpServer } from '../../peers/mcp-servers/bare/sse-mcp-server.ts';

const notice = (sequence: number) => ({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { sequence },
});

describe('an HTTP+SSE server, with no flag', () => {
  it.each([400, 404, 405, 406, 415, 501])('is found after a POST that is answered %d', async (postStatus) => {
    await using server = await startSseMcpServer({ postStatus });
    await using bridge = (await composeBridge(server.url)).read();
    expect((await bridge.initialize()).json.result.serverInfo.name).toBe('sse');
    expect((await bridge.request(1, 'tools/call', { name: 'x' })).json.result.params).toEqual({ name: 'x' });
    expect(server.methods()).toEqual(['initialize', 'initialize', 'notifications/initialized', 'tools/call']);
    expect(bridge.transportsFound).toEqual(['sse']);
  });

  it('is used at once when it was found before', async () => {
    await using server = await startSseMcpServer();
    await using bridge = (await composeBridge(server.url, { remembered: { transport: 'sse' } })).read();
    await bridge.initialize();
    await bridge.request(1, 'tools/list');
    expect(server.methods()).toEqual(['initialize', 'notifications/initialized', 'tools/list']);
  });

  it('is no longer assumed when the server has moved on', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address(), { remembered: { transport: 'sse' } })).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/list')).json.result).toBeDefined();
    expect(bridge.transportsFound).toEqual(['http']);
  });

  it('keeps the first error when both fail, and adds the result of the other', async () => {
    await using server = await startSseMcpServer({ postStatus: 406, postBody: 'not this', getStatus: 404 });
    await using bridge = (await composeBridge(server.url)).read();
    const { json } = await bridge.initialize();
    expect(json.error.message).toMatch(/status 406 and .*"not this".*HTTP\+SSE was tried too: status 404/);
  });

  it.each([-32_020, -32_021, -32_022])('is not tried after the modern error %d', async (code) => {
    const postBody = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message: 'modern' } });
    await using server = await startSseMcpServer({ postStatus: 400, postBody });
    await using bridge = (await composeBridge(server.url)).read();
    expect((await bridge.initialize()).json.error.message).toContain('modern');
    expect(server.requests.count(({ method }) => method === 'GET')).toBe(0);
  });

  it.each([
    ['http', 1, 0],
    ['sse', 0, 1],
    ['sse-first', 0, 1],
  ] as const)('--transport %s tries nothing else first', async (transport, posts, gets) => {
    await using server = await startSseMcpServer({ getStatus: 500 });
    await using bridge = (await composeBridge(server.url, { transport })).read();
    await bridge.initialize();
    expect(server.requests.count(({ method }) => method === 'POST')).toBe(posts);
    expect(server.requests.count(({ method }) => method === 'GET')).toBe(gets);
  });
});

describe('the endpoint', () => {
  it.each([
    ['http://127.0.0.1:1/message', /not at its own origin/],
    ['//evil.example/message', /not at its own origin/],
    ['http://user:secret@{host}/message', /not at its own origin/],
    ['http://[', /not at its own origin/],
  ])('%s is refused', async (endpoint, why) => {
    await using other = await startRawMcpServer();
    const evil = endpoint.replace('http://127.0.0.1:1', other.origin);
    await using server = await startSseMcpServer({ endpoint: evil.replace('{host}', '127.0.0.1') });
    await using bridge = (await composeBridge(server.url, { transport: 'sse' })).read();
    expect((await bridge.initialize()).json.error.message).toMatch(why);
    expect(server.methods()).toEqual([]);
    expect(other.requests.entries).toEqual([]);
  });

  it('may be an absolute address at the same origin', async () => {
    await using server = await startSseMcpServer();
    await using whole = await startSseMcpServer({ endpoint: 'message?session={id}' });
    await using bridge = (await composeBridge(whole.url, { transport: 'sse' })).read();
    expect((await bridge.initialize()).json.result).toBeDefined();
    expect(server.requests.entries).toEqual([]);
  });

  it('is resolved against the target of a redirect within the origin, and never another origin', async () => {
    await using other = await startSseMcpServer();
    const headers = [['X-Api-Key', 'canary']] as const;
    await using within = await startSseMcpServer({ movedTo: '/sse' });
    await using served = (await composeBridge(`${within.origin}/moved`, { headers })).read();
    expect((await served.initialize()).json.result).toBeDefined();
    await using away = await startSseMcpServer({ movedTo: `${other.origin}/sse` });
    await using refused = (await composeBridge(`${away.origin}/moved`, { headers, transport: 'sse' })).read();
    expect((await refused.initialize()).json.error.message).toMatch(/status 307.*another origin/);
    expect(other.requests.entries).toEqual([]);
  });

  it('is required', async () => {
    await using server = await startSseMcpServer({ silent: true });
    await using bridge = (await composeBridge(server.url, { transport: 'sse' })).read();
    expect((await bridge.initialize()).json.error.message).toContain('named no endpoint');
  });
});

describe('messages over HTTP+SSE', () => {
  it('arrive unchanged, in order, each answered once', async () => {
    await using server = await startSseMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    expect((await bridge.request('odd', 'odd')).line).toBe(
      `{"jsonrpc":"2.0","id":"odd","result":${ODD_RESULT}}`,
    );
    for (let id = 0; id < 200; id++) {
      server.say(notice(id));
      bridge.send({ jsonrpc: '2.0', id, method: 'echo' });
      await bridge.answer(id);
    }
    const seen = bridge.received.entries
      .map(({ json }) => json.params?.sequence ?? json.id)
      .filter((value) => typeof value === 'number');
    expect(seen).toEqual(Array.from({ length: 400 }, (_, at) => Math.floor(at / 2)));
  });

  it('a response may overtake the status of its own request', async () => {
    await using server = await startSseMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'answer-first')).json.result.method).toBe('answer-first');
    expect((await bridge.request(2, 'echo')).json.result.method).toBe('echo');
  });

  it('requests of the server reach the host, and its responses the server', async () => {
    await using server = await startSseMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize({ capabilities: { roots: {} } });
    await bridge.request(1, 'echo');
    server.say({ jsonrpc: '2.0', id: 's1', method: 'roots/list' });
    await bridge.received.waitFor(({ json }) => json.method === 'roots/list');
    bridge.send({ jsonrpc: '2.0', id: 's1', result: { roots: [] } });
    const answer = await server.requests.waitFor(({ rpc }) => rpc?.id === 's1');
    expect(answer.rpc.result).toEqual({ roots: [] });
  });

  it('unknown and second responses are dropped, events with other names ignored', async () => {
    await using server = await startSseMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    await bridge.request(1, 'echo');
    server.say({ jsonrpc: '2.0', id: 1, result: { second: true } });
    server.say({ jsonrpc: '2.0', id: 'nobody', result: {} });
    server.push(`event: other\ndata: ${JSON.stringify(notice(1))}\n\n: comment\n\n`);
    server.say(notice(2));
    await bridge.received.waitFor(({ json }) => json.params?.sequence === 2);
    expect(bridge.answersTo(1)).toBe(1);
    expect(bridge.received.count(({ json }) => json.id === 'nobody' || json.params?.sequence === 1)).toBe(0);
  });
});

describe('back-pressure over HTTP+SSE', () => {
  it('a host that does not read slows the server down, without loss', async () => {
    const total = 100_000_000;
    await using server = await startSseMcpServer();
    await using bridge = await composeBridge(server.url);
    bridge.send({ jsonrpc: '2.0', id: 'init', method: 'initialize', params: {} });
    bridge.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    await server.requests.waitFor(({ rpc }) => rpc?.method === 'notifications/initialized');
    const flood = server.flood(1_000, total / 1_000);
    // Nobody reads: the server gets no further than what pipes and sockets hold.
    await expect.poll(() => server.bytesSent).toBeGreaterThan(0);
    let before = -1;
    while (server.bytesSent !== before) {
      before = server.bytesSent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(server.bytesSent).toBeLessThan(total / 2);
    bridge.read();
    await flood;
    await bridge.received.until(
      () => bridge.received.count(({ json }) => json.params?.sequence > 0) === 1_000,
    );
    const sequences = bridge.received.entries.flatMap(({ json }) => json.params?.sequence ?? []);
    expect(sequences).toEqual(Array.from({ length: 1_000 }, (_, at) => at + 1));
  });
});

describe('an HTTP+SSE stream that ends', () => {
  it('ends its calls with an error, opens a new session and serves the next call', async () => {
    await using server = await startSseMcpServer({ retryMs: 50 });
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    server.silentOn.add('slow');
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'slow' }, { jsonrpc: '2.0', id: 2, method: 'slow' });
    await server.requests.until(() => server.methods().filter((method) => method === 'slow').length === 2);
    server.endStreams();
    const [one, two] = await Promise.all([bridge.answer(1), bridge.answer(2)]);
    expect(one.json.error.message).toMatch(/closed the event stream.*may have run/);
    expect(two.json.error.data).toEqual({ mayHaveRun: true });
    expect((await bridge.request(3, 'echo')).json.result.method).toBe('echo');
    // The host did not initialize again; the bridge did.
    expect(server.methods().filter((method) => method === 'slow')).toHaveLength(2);
  });

  it('is opened again by itself, so that notifications come without a call', async () => {
    await using server = await startSseMcpServer({ retryMs: 50 });
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    await bridge.request(1, 'echo');
    for (let round = 1; round <= 3; round++) {
      server.endStreams();
      await server.requests.until(
        () =>
          server.methods().filter((method) => method === 'notifications/initialized').length === round + 1,
      );
      server.say(notice(round));
      await bridge.received.waitFor(({ json }) => json.params?.sequence === round);
    }
    expect(server.streamsOpen).toBe(1);
  });

  it('restores the log level and the subscriptions in the new session', async () => {
    await using server = await startSseMcpServer({ retryMs: 50 });
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    await bridge.request(1, 'logging/setLevel', { level: 'debug' });
    await bridge.request(2, 'resources/subscribe', { uri: 'file:///a' });
    const from = server.methods().length;
    server.endStreams();
    await server.requests.until(() => server.methods().slice(from).includes('resources/subscribe'));
    expect(
      server
        .methods()
        .slice(from)
        .filter((method) => method !== 'initialize'),
    ).toEqual(['notifications/initialized', 'logging/setLevel', 'resources/subscribe']);
  });

  it('of a restarting server recovers by itself', async () => {
    await using server = await startSseMcpServer({ retryMs: 50 });
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    server.silentOn.add('slow');
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'slow' });
    await server.requests.waitFor(({ rpc }) => rpc?.method === 'slow');
    const port = await server.stop();
    expect((await bridge.answer(1)).json.error.data).toEqual({ mayHaveRun: true });
    bridge.send({ jsonrpc: '2.0', id: 2, method: 'echo' });
    await server.start(port);
    expect((await bridge.answer(2)).json.result.method).toBe('echo');
  });

  it('closes with the bridge', async () => {
    await using server = await startSseMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    await bridge.request(1, 'echo');
    await bridge.end();
    await expect.poll(() => server.streamsOpen).toBe(0);
  });
});

describe('a protected HTTP+SSE server', () => {
  /** Has the token only when it was asked to get one. */
  function signIn(tokens: string[]): Authorization & { readonly recoveries: (string | undefined)[] } {
    let bearer: Bearer | undefined;
    const recoveries: (string | undefined)[] = [];
    return {
      recoveries,
      current: async () => bearer,
      recover: async (refused) => {
        recoveries.push(refused?.token);
        bearer = { token: tokens.shift() as string };
        return { kind: 'retry', bearer };
      },
      close: () => {},
    };
  }

  it.each([[['GET', 'POST']], [['GET']]] as const)(
    'may ask for a sign-in before the transport is known (%j)',
    async (protectedMethods) => {
      await using server = await startSseMcpServer({ protectedMethods });
      const authorization = signIn(['good']);
      await using bridge = (await composeBridge(server.url, { authorization })).read();
      await bridge.initialize();
      expect((await bridge.request(1, 'echo')).json.result.method).toBe('echo');
      expect(authorization.recoveries).toEqual([undefined]);
      expect(bridge.transportsFound).toEqual(['sse']);
    },
  );

  it('gets a new token during a session, and each message once', async () => {
    await using server = await startSseMcpServer({ protectedMethods: ['GET', 'POST'] });
    const authorization = signIn(['good', 'better']);
    await using bridge = (await composeBridge(server.url, { authorization })).read();
    await bridge.initialize();
    await bridge.request(1, 'echo');
    server.token = 'better';
    expect((await bridge.request(2, 'echo')).json.result.method).toBe('echo');
    expect(authorization.recoveries).toEqual([undefined, 'good']);
    expect(server.streamsOpened).toBe(1);
  });
});
