import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { startFaultProxy } from '../../peers/faults/fault-proxy.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { startSseMcpServer } from '../../peers/mcp-servers/bare/sse-mcp-server.ts';
import { carries, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { recordingClock, stillClock } from '../../peers/net/fast-clock.ts';

const HOURS_8_MS = 8 * 3_600_000;

/** Clocks as they are found after a sleep, or after the wall clock was set; timers run on. */
function movableClock(): Clock & { moveBy(ms: number): void; setAheadBy(ms: number): void } {
  let slept = 0;
  let set = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + slept + set,
    uptime: () => systemClock.uptime() + slept,
    moveBy: (ms) => {
      slept += ms;
    },
    setAheadBy: (ms) => {
      set += ms;
    },
  };
}

describe('34: after a sleep', () => {
  it('dead connections are not reused: the next call is answered, the stream comes back', async () => {
    await using server = await startMcpServer();
    await using proxy = await startFaultProxy(server.url);
    const clock = movableClock();
    await using bridge = (await composeBridge(proxy.url, { clock })).read();
    await bridge.initialize();
    await bridge.request(1, 'tools/list');
    await server.events.until(() => server.counters.streamsOpened === 1);
    proxy.goHalfOpen();
    clock.moveBy(HOURS_8_MS);
    expect((await bridge.request(2, 'tools/list')).json.result.tools).toBeDefined();
    await server.events.until(() => server.counters.streamsOpened === 2);
    for (const { server: peer } of server.servers)
      await peer.sendLoggingMessage({ level: 'info', data: 'awake' });
    await bridge.received.waitFor(({ json }) => json.params?.data === 'awake');
    expect(server.counters.initializes).toBe(1);
  });

  it('the stream comes back without a call', async () => {
    await using server = await startMcpServer();
    await using proxy = await startFaultProxy(server.url);
    const clock = movableClock();
    await using bridge = (await composeBridge(proxy.url, { clock })).read();
    await bridge.initialize();
    await server.events.until(() => server.counters.streamsOpened === 1);
    proxy.goHalfOpen();
    clock.moveBy(HOURS_8_MS);
    await server.events.until(() => server.counters.streamsOpened === 2);
  });

  it('an HTTP+SSE session is opened again, as its stream may be dead', async () => {
    await using server = await startSseMcpServer();
    await using proxy = await startFaultProxy(server.url);
    const clock = movableClock();
    await using bridge = (await composeBridge(proxy.url, { clock })).read();
    await bridge.initialize();
    await bridge.request(1, 'echo');
    proxy.goHalfOpen();
    clock.moveBy(HOURS_8_MS);
    expect((await bridge.request(2, 'echo')).json.result.method).toBe('echo');
    expect(server.methods().filter((method) => method === 'echo')).toHaveLength(2);
  });

  it('a pending call is left to be answered', async () => {
    await using server = await startMcpServer();
    const clock = movableClock();
    await using bridge = (await composeBridge(server.url, { clock })).read();
    await bridge.initialize();
    bridge.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'slow', arguments: { name: 'a' } },
    });
    await server.requests.until(() => server.methodCount('tools/call') === 1);
    clock.moveBy(HOURS_8_MS);
    await bridge.request(2, 'tools/list');
    server.calls.release('a', 'woken');
    expect((await bridge.answer(1)).json.result.content[0].text).toBe('woken');
  });
});

describe('a wall clock that is set ahead', () => {
  it('does not close an HTTP+SSE session while a response is pending', async () => {
    await using server = await startSseMcpServer();
    server.silentOn.add('slow');
    const clock = movableClock();
    await using bridge = (await composeBridge(server.url, { clock })).read();
    await bridge.initialize();
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'slow' });
    await server.requests.waitFor(({ rpc }) => rpc?.method === 'slow');
    clock.setAheadBy(HOURS_8_MS);
    expect((await bridge.request(2, 'echo')).json.result.method).toBe('echo');
    server.say({ jsonrpc: '2.0', id: 1, result: { late: true } });
    expect((await bridge.answer(1)).json.result).toEqual({ late: true });
    expect(server.streamsOpened).toBe(1);
  });

  it('leaves idle connections alone, as in a virtual machine that was suspended', async () => {
    await using server = await startMcpServer();
    await using proxy = await startFaultProxy(server.url);
    const clock = movableClock();
    await using bridge = (await composeBridge(proxy.url, { clock })).read();
    await bridge.initialize();
    await bridge.request(1, 'tools/list');
    proxy.goHalfOpen();
    clock.setAheadBy(HOURS_8_MS);
    expect((await bridge.request(2, 'tools/list')).json.result.tools).toBeDefined();
  });
});

describe('4: a server that falls silent', () => {
  it('is detected by --ping-interval and reconnected', async () => {
    await using server = await startMcpServer();
    await using proxy = await startFaultProxy(server.url);
    await using bridge = (await composeBridge(proxy.url, { pingIntervalMs: 500 })).read();
    await bridge.initialize();
    await server.events.until(() => server.counters.streamsOpened === 1);
    await server.requests.waitFor(carries('ping'));
    proxy.goHalfOpen();
    await server.events.until(() => server.counters.streamsOpened === 2);
    expect((await bridge.request(1, 'tools/list')).json.result.tools).toBeDefined();
    // The pings are the bridge's own: the host sees nothing of them.
    expect(bridge.received.count(({ json }) => String(json.id).startsWith('drawbridge-'))).toBe(0);
  });
});

describe('13: lost sessions', () => {
  it.each([
    [404, '{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}'],
    [
      400,
      '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}',
    ],
    [400, 'Invalid or missing session ID'],
  ])('reported with %d and %s: one new session for all, each call sent once more', async (status, body) => {
    await using server = await startMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    const first = (await server.events.waitFor(({ kind }) => kind === 'session-opened')) as {
      session: string;
    };
    const old = first.session;
    server.fail(
      { kind: 'answer', status, body, headers: { 'content-type': 'application/json' } },
      ({ method, headers }) => method === 'POST' && headers['mcp-session-id'] === old,
    );
    const ids = [1, 2, 3, 4, 5];
    const add = (id: number) => ({ name: 'add', arguments: { a: id, b: 1 } });
    bridge.send(...ids.map((id) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: add(id) })));
    for (const id of ids)
      expect((await bridge.answer(id)).json.result.structuredContent).toEqual({ sum: id + 1 });
    expect(server.counters.initializes).toBe(2);
    expect(server.methodCount('tools/call')).toBe(10);
    await server.events.until(() => server.counters.streamsOpened === 2);
  });

  it('a server that loses each session at once is retried more and more slowly, and each call ends', async () => {
    await using server = await startRawMcpServer({ session: 's' });
    await using bridge = (await composeBridge(`${server.address('status')}?status=404`)).read();
    await bridge.initialize();
    for (const id of [1, 2]) {
      const { json } = await bridge.request(id, 'tools/call');
      expect(json.error.message).toContain('lost the session again and again');
    }
    expect(server.methodCount('initialize')).toBeLessThanOrEqual(6);
  });
});

describe('cookies of a load balancer', () => {
  it.each([
    [true, 'lb=node-7'],
    [false, undefined],
  ])('are sent back: %s', async (cookies, expected) => {
    await using server = await startRawMcpServer();
    server.behaviours.sticky = ({ request, response }) => {
      const head = {
        'content-type': 'application/json',
        'set-cookie': ['lb=node-7; Path=/; HttpOnly', 'x=1; Path=/other'],
      };
      response.writeHead(200, head).end(JSON.stringify({ jsonrpc: '2.0', id: request.rpc.id, result: {} }));
    };
    await using bridge = (await composeBridge(server.address('sticky'), { cookies })).read();
    await bridge.initialize();
    await bridge.request(1, 'a');
    await bridge.request(2, 'a');
    expect(server.requests.entries.find(({ rpc }) => rpc.id === 1)?.headers.cookie).toBeUndefined();
    expect(server.requests.entries.find(({ rpc }) => rpc.id === 2)?.headers.cookie).toBe(expected);
  });

  it("come after the user's own", async () => {
    await using server = await startRawMcpServer();
    server.behaviours.sticky = ({ request, response }) => {
      const head = { 'content-type': 'application/json', 'set-cookie': 'lb=1; Path=/' };
      response.writeHead(200, head).end(JSON.stringify({ jsonrpc: '2.0', id: request.rpc.id, result: {} }));
    };
    await using bridge = (
      await composeBridge(server.address('sticky'), { headers: [['Cookie', 'mine=1']] })
    ).read();
    await bridge.initialize();
    await bridge.request(1, 'a');
    await bridge.request(2, 'a');
    expect(server.requests.entries.find(({ rpc }) => rpc.id === 2)?.headers.cookie).toBe('mine=1; lb=1');
  });
});

describe('16: Retry-After', () => {
  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toUTCString();

  it.each([
    [429, (): string => '1'],
    [503, (): string => '1'],
    [429, () => inSeconds(2)],
    [503, () => inSeconds(2)],
  ] as const)('%d is waited for (%#), and the call is sent once more', async (status, retryAfter) => {
    await using server = await startMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    const headers = { 'retry-after': retryAfter() };
    server.fail({ kind: 'answer', status, headers }, carries('tools/list'), 1);
    expect((await bridge.request(1, 'tools/list')).json.result.tools).toBeDefined();
    expect(server.methodCount('tools/list')).toBe(2);
  });

  it.each(['86400', 'Fri, 31 Dec 2999 23:59:59 GMT', '61'])('%s is an error now', async (retryAfter) => {
    await using server = await startMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    server.fail(
      { kind: 'answer', status: 503, headers: { 'retry-after': retryAfter } },
      carries('tools/list'),
    );
    expect((await bridge.request(1, 'tools/list')).json.error.message).toContain('status 503');
    expect(server.methodCount('tools/list')).toBe(1);
  });
});

describe('18: a silent tool', () => {
  it('is waited for, and a cancellation reaches the server without a pause', async () => {
    await using server = await startMcpServer();
    await using bridge = (await composeBridge(server.url, { clock: stillClock() })).read();
    await bridge.initialize();
    bridge.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'slow', arguments: { name: 'a' } },
    });
    await server.requests.until(() => server.methodCount('tools/call') === 1);
    bridge.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    await server.requests.until(() => server.methodCount('notifications/cancelled') === 1);
  });
});

describe("8: the server's own stream", () => {
  it('is reopened more and more slowly when the server closes it each time', async () => {
    await using server = await startRawMcpServer({ stream: true });
    const clock = recordingClock();
    await using bridge = (await composeBridge(server.address(), { clock })).read();
    await bridge.initialize();
    for (let opened = 1; opened <= 6; opened++) {
      await server.requests.until(() => server.requests.count(({ method }) => method === 'GET') === opened);
      server.endStreams();
    }
    // The third of them, whatever its jitter; nothing else is that long.
    expect(clock.asked.filter((ms) => ms >= 4_000 && ms <= 8_000)).toHaveLength(1);
    expect((await bridge.request(1, 'a')).json.result).toEqual({ content: [] });
  });
});
