import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { startBlackHole } from '../../peers/faults/black-hole.ts';
import { startFaultProxy } from '../../peers/faults/fault-proxy.ts';
import { startForwardProxy } from '../../peers/faults/forward-proxy.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { coded, codings } from '../../peers/mcp-servers/bare/encodings.ts';
import { ODD_RESULT } from '../../peers/mcp-servers/bare/raw-behaviours.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { startResumableServer } from '../../peers/mcp-servers/bare/resumable-server.ts';
import { startSseMcpServer } from '../../peers/mcp-servers/bare/sse-mcp-server.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { stillClock } from '../../peers/net/fast-clock.ts';

type Lookup = NonNullable<Parameters<typeof createHttp>[0]['lookup']>;

/** A resolver that answers with these addresses. */
function resolver(...addresses: { address: string; family: number }[]): Lookup {
  return ((_host: string, _options: unknown, callback: (...args: unknown[]) => void) =>
    callback(null, addresses)) as Lookup;
}

describe('a server that cannot be reached', () => {
  it('1: a name that does not resolve is stood in for, and recovers by itself', async () => {
    await using server = await startRawMcpServer();
    const port = new URL(server.origin).port;
    let known = false;
    const lookup = ((host: string, options: unknown, callback: (...args: unknown[]) => void) => {
      if (known) return callback(null, [{ address: '127.0.0.1', family: 4 }]);
      callback(Object.assign(new Error(`no such host ${host}`), { code: 'ENOTFOUND' }));
      void options;
    }) as Lookup;
    await using bridge = (
      await composeBridge(`http://server.test:${port}/mcp/well`, { http: { lookup } })
    ).read();
    expect((await bridge.initialize()).json.result.capabilities.tools).toEqual({ listChanged: true });
    known = true;
    expect((await bridge.request(1, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
  });

  it('2: a black hole fails at the time limit, before anything was sent', async () => {
    await using hole = await startBlackHole();
    const http = await createHttp({ env: {}, connectTimeoutMs: 1_000 });
    const failure = await http
      .request({ method: 'POST', url: hole.url, body: '{}' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'timeout', sent: false });
    await http.close();
  });

  it('11: a dead IPv6 address causes no delay', async () => {
    await using server = await startRawMcpServer();
    const lookup = resolver({ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 });
    const url = `http://server.test:${new URL(server.origin).port}/mcp/well`;
    // Longer than this test may take: what refuses is passed over without its time.
    const http = { lookup, addressAttemptMs: 60_000 };
    await using bridge = (await composeBridge(url, { http, clock: stillClock() })).read();
    expect((await bridge.initialize()).json.result.serverInfo.name).toBe('raw');
  });
});

describe('an imperfect network', () => {
  it.each(['odd', 'odd-stream', 'one-byte'])(
    '6: %s in chunks of one byte: the same bytes',
    async (behaviour) => {
      await using server = await startRawMcpServer();
      await using proxy = await startFaultProxy(server.address(behaviour));
      proxy.faults = { sliceBytes: 1 };
      await using bridge = (await composeBridge(proxy.url)).read();
      await bridge.initialize();
      expect((await bridge.request(7, 'tools/call', { text: 'é😀' })).line).toBe(
        `{"jsonrpc":"2.0","id":7,"result":${ODD_RESULT}}`,
      );
      expect(server.requests.entries.find(({ rpc }) => rpc.id === 7)?.body).toContain('é😀');
    },
  );

  it('6: HTTP+SSE in chunks of one byte, with latency', async () => {
    await using server = await startSseMcpServer();
    await using proxy = await startFaultProxy(server.url);
    await using bridge = (await composeBridge(proxy.url)).read();
    proxy.faults = { sliceBytes: 1 };
    await bridge.initialize();
    expect((await bridge.request('odd', 'odd')).line).toBe(
      `{"jsonrpc":"2.0","id":"odd","result":${ODD_RESULT}}`,
    );
  });

  it('5: trickling headers are waited for, up to a limit where there is one', async () => {
    await using server = await startRawMcpServer();
    await using proxy = await startFaultProxy(server.address());
    proxy.faults = { sliceBytes: 20, latencyMs: 30 };
    await using bridge = (await composeBridge(proxy.url)).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call')).json.result).toEqual({ content: [] });
    const http = await createHttp({ env: {} });
    const url = new URL(server.address('silent', 'first'));
    const failure = await http
      .request({
        method: 'POST',
        url,
        body: '{"jsonrpc":"2.0","id":1,"method":"a"}',
        headersTimeoutMs: 1_000,
      })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'timeout', sent: true });
    await http.close();
  });

  it('3: a reset ends the calls on that connection, which would not end by themselves, and no others', async () => {
    await using server = await startMcpServer();
    await using proxy = await startFaultProxy(server.url);
    await using bridge = (await composeBridge(proxy.url)).read();
    await bridge.initialize();
    bridge.send(
      ...[1, 2].map((id) => ({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: 'slow', arguments: { name: `n${id}` } },
      })),
    );
    await server.requests.until(() => server.methodCount('tools/call') === 2);
    proxy.resetAll();
    const answers = await Promise.all([bridge.answer(1), bridge.answer(2)]);
    for (const { json } of answers) expect(json.error.data).toMatchObject({ mayHaveRun: true });
    expect((await bridge.request(3, 'tools/list')).json.result.tools).toBeDefined();
    expect(server.methodCount('tools/call')).toBe(2);
  });

  it('12: a server that restarts in mid-call: an error, then all is well', async () => {
    await using server = await startMcpServer();
    await using bridge = (await composeBridge(server.url)).read();
    await bridge.initialize();
    bridge.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'slow', arguments: { name: 'a' } },
    });
    await server.requests.until(() => server.methodCount('tools/call') === 1);
    await server.restart();
    expect((await bridge.answer(1)).json.error.message).toContain('may have run');
    expect((await bridge.request(2, 'tools/list')).json.result.tools).toBeDefined();
    expect(server.counters.initializes).toBe(2);
  });

  it('7: connections that end after more and more bytes: one response per call, no event twice', async () => {
    await using server = await startResumableServer({ retryMs: 50 });
    await using proxy = await startFaultProxy(server.url);
    await using bridge = (await composeBridge(proxy.url)).read();
    await bridge.initialize();
    for (let id = 1; id <= 20; id++) {
      proxy.faults = id % 2 === 0 ? { endAfterBytes: 300 + id * 40 } : { resetAfterBytes: 300 + id * 40 };
      bridge.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { count: 3 } });
      await bridge.answer(id);
      const seen = bridge.received.entries
        .map(({ json }) => json.params?.data)
        .filter((data) => data?.stream === `call-${id}`)
        .map((data) => data.sequence);
      expect(new Set(seen).size).toBe(seen.length);
      expect(bridge.answersTo(id)).toBe(1);
    }
    expect(server.calls.count()).toBeLessThanOrEqual(20);
  });

  it('a slow line delivers everything', async () => {
    await using server = await startRawMcpServer();
    await using proxy = await startFaultProxy(`${server.address('huge-stream')}?bytes=200000`);
    proxy.faults = { bytesPerSecond: 400_000, latencyMs: 5 };
    await using bridge = (await composeBridge(proxy.url)).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call')).line.length).toBeGreaterThan(200_000);
  });
});

describe('9: content codings', () => {
  const known = ['gzip', 'x-gzip', 'br', 'deflate', 'zstd'].filter((name) => codings[name] !== undefined);

  it.each(
    known.flatMap(
      (coding) =>
        [
          [coding, 'json'],
          [coding, 'stream'],
        ] as const,
    ),
  )('%s as %s is decoded', async (coding, type) => {
    await using server = await startRawMcpServer();
    server.behaviours.coded = coded;
    const url = `${server.address('coded')}?coding=${coding}&type=${type}`;
    await using bridge = (await composeBridge(url)).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call')).json.result.text).toBe('é😀'.repeat(500));
  });

  it.each([
    // It is in the query of the address too, which is not repeated.
    ['unknown', /coding that was not asked for: \S/],
    ['wrong', /not coded as it says \(gzip\)/],
    ['cut', /not coded as it says \(gzip\)/],
  ])('%s is an error for that call alone', async (coding, why) => {
    await using server = await startRawMcpServer();
    server.behaviours.coded = coded;
    for (const type of ['json', 'stream']) {
      const url = `${server.address('coded')}?coding=${coding}&type=${type}`;
      await using bridge = (await composeBridge(url)).read();
      await bridge.initialize();
      const { json } = await bridge.request(1, 'tools/call');
      // A stream that was cut behind its last event lost nothing.
      if (json.result === undefined) expect(json.error.message).toMatch(why);
      else expect([coding, type]).toEqual(['cut', 'stream']);
      expect((await bridge.request(2, 'tools/call')).json.id).toBe(2);
    }
  });
});

/** The timers of this machine's connections to a port, as proc(5) numbers them: 02 is the one that probes a silent peer. */
async function timersOfConnectionsTo(port: string): Promise<string[]> {
  const remote = `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`;
  const table = await readFile('/proc/net/tcp', 'utf8');
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([, , to = '', state, , timer = '']) =>
    // 06 is a connection that has ended (TIME_WAIT), perhaps to an earlier owner of the port.
    to.endsWith(remote) && state !== '06' ? [timer.slice(0, 2)] : [],
  );
}

describe('a silent connection', () => {
  it.each(['direct', 'through a proxy'])('is probed: %s', async (way) => {
    await using server = await startRawMcpServer();
    await using proxy = await startForwardProxy();
    const env = way === 'direct' ? {} : { HTTP_PROXY: proxy.url };
    const http = await createHttp({ env });
    const url = new URL(server.address('well'));
    if (way !== 'direct') url.hostname = 'server.test';
    const answer = await http.request({ method: 'POST', url, body: '{}' });
    expect(proxy.tunnels.entries).toHaveLength(way === 'direct' ? 0 : 1);
    const { port } = new URL(way === 'direct' ? server.origin : proxy.url);
    expect(await timersOfConnectionsTo(port)).toEqual(['02']);
    answer.discard();
    await http.close();
  });
});
