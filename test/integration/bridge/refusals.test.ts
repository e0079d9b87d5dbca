import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Authorization } from '../../../src/auth/authorization.ts';
import { type ComposedBridge, composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { type RawMcpServer, startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { META } from '../../peers/net/wire-server.ts';

/** Answers the call with id 1 by `refusal`, with the call's own id where that says `ID`; all others well. */
function refuseFirst(
  server: RawMcpServer,
  status: number,
  body: string | ((response: ServerResponse) => unknown),
  headers: Record<string, string> = {},
) {
  server.behaviours.refuses = ({ request, response }) => {
    const { id } = request.rpc;
    const head = { 'content-type': 'application/json', ...headers };
    if (id === 1) {
      response.writeHead(status, head);
      if (typeof body === 'string') response.end(body.replace('ID', JSON.stringify(id)));
      else body(response);
      return;
    }
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } }));
  };
  return server.address('refuses');
}

const sent = (server: RawMcpServer) => server.requests.count(({ rpc }) => rpc.id === 1);
const rpcError = (code: number, message: string) =>
  `{"jsonrpc":"2.0","id":ID,"error":{"code":${code},"message":${JSON.stringify(message)},"data":{"z":1,"a":2}}}`;

describe("an error under the call's own id is its answer, whatever the status", () => {
  const answers: [status: number, error: string, headers?: Record<string, string>][] = [
    [400, rpcError(-32_000, 'the checkout session has expired')],
    [400, rpcError(-32_001, 'no such order')],
    [404, rpcError(-32_602, 'unknown tool')],
    [404, rpcError(-32_001, 'Session not found')],
    [429, rpcError(-32_000, 'slowly'), { 'retry-after': '0' }],
    [503, rpcError(-32_000, 'later'), { 'retry-after': '0' }],
    [500, rpcError(-32_603, 'it broke in the middle')],
    [502, rpcError(-32_603, 'what is behind it broke')],
    [400, `[${rpcError(-32_000, 'invalid session')}]`],
  ];

  it.each(answers)('%d %s', async (status, error, headers) => {
    await using server = await startRawMcpServer({ session: 's' });
    await using bridge = (await composeBridge(refuseFirst(server, status, error, headers))).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call', { name: 'x' })).line).toBe(
      error.replace('ID', '1').replace(/^\[|\]$/g, ''),
    );
    expect((await bridge.request(2, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
    expect(sent(server)).toBe(1);
  });

  it.each(answers.slice(0, 3))('for a 2026 host too: %d %s', async (status, error, headers) => {
    await using server = await startRawMcpServer({ session: 's' });
    const bridge = await composeBridge(refuseFirst(server, status, error, headers), {
      remembered: { era: 'legacy' },
    });
    await using _bridge = bridge.read();
    const ask = (id: number) => bridge.request(id, 'tools/call', { name: 'x', _meta: META });
    expect((await ask(1)).json.error).toMatchObject({ data: { z: 1, a: 2 } });
    expect((await ask(2)).json.result).toMatchObject({ content: [] });
    expect(sent(server)).toBe(1);
  });

  it('after a 404 that also means a lost session, the next call opens a new session', async () => {
    await using server = await startRawMcpServer({ session: 's' });
    const error = rpcError(-32_001, 'Session not found');
    await using bridge = (await composeBridge(refuseFirst(server, 404, error))).read();
    await bridge.initialize();
    await bridge.request(1, 'tools/call', { name: 'x' });
    await bridge.request(2, 'tools/call', { name: 'x' });
    expect(server.methodCount('initialize')).toBe(2);
  });

  it.each([400, 404, 405])(
    'status %d and a body that is not JSON-RPC: an error, and not sent again',
    async (status) => {
      await using server = await startRawMcpServer({ session: 's' });
      const body = '{"id":ID,"error":"the session is unknown"}';
      await using bridge = (await composeBridge(refuseFirst(server, status, body))).read();
      await bridge.initialize();
      const { error } = (await bridge.request(1, 'tools/call', { name: 'x' })).json;
      expect(error.message).toContain('the session is unknown');
      expect(error.data).toEqual({ mayHaveRun: true, check: 'endpoint' });
      expect(sent(server)).toBe(1);
    },
  );

  it('a call whose error is too long to find its id in is not sent again', async () => {
    await using server = await startRawMcpServer({ session: 's' });
    const error = rpcError(-32_000, `invalid session ${'x'.repeat(300_000)}`);
    await using bridge = (await composeBridge(refuseFirst(server, 400, error))).read();
    await bridge.initialize();
    const { json } = await bridge.request(1, 'tools/call', { name: 'x' });
    expect(json.error.data).toEqual({ mayHaveRun: true, check: 'endpoint' });
    expect(sent(server)).toBe(1);
  });
});

describe('a call whose refusal cannot be read to its end may have run, and is not sent again', () => {
  const error = rpcError(-32_602, 'no').replace('ID', '1');
  type Head = Record<string, string>;
  const ways: [what: string, head: Head, write: (response: ServerResponse) => unknown][] = [
    ['a Content-Length that cuts it', { 'content-length': '3' }, (response) => response.end(error)],
    [
      'a reset',
      {},
      (response) => response.write(error.slice(0, 20), () => response.socket?.resetAndDestroy()),
    ],
    ['a broken encoding', { 'content-encoding': 'gzip' }, (response) => response.end(error)],
    ['a byte order mark', {}, (response) => response.end(`\ufeff${error}`)],
  ];
  const cases = [400, 404, 426].flatMap((status) => ways.map((way) => [status, ...way] as const));

  it.each(cases)('%d, %s', async (status, _, headers, write) => {
    await using server = await startRawMcpServer({ session: 's' });
    await using bridge = (await composeBridge(refuseFirst(server, status, write, headers))).read();
    await bridge.initialize();
    const { error } = (await bridge.request(1, 'tools/call', { name: 'x' })).json;
    expect(error.data).toEqual({ mayHaveRun: true, check: 'endpoint' });
    expect((await bridge.request(2, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
    expect(sent(server)).toBe(1);
    expect(server.methodCount('initialize')).toBe(status === 404 ? 2 : 1);
  });

  it.each(ways)('a host of 2026: 404, %s; the new session has its log level', async (_, headers, write) => {
    await using server = await startRawMcpServer({ session: 's' });
    const bridge = await composeBridge(refuseFirst(server, 404, write, headers), {
      remembered: { era: 'legacy' },
    });
    await using _bridge = bridge.read();
    const _meta = { ...META, 'io.modelcontextprotocol/logLevel': 'debug' };
    const ask = (id: number) => bridge.request(id, 'tools/call', { name: 'x', _meta });
    expect((await ask(1)).json.error.data).toEqual({ mayHaveRun: true, check: 'endpoint' });
    expect((await ask(2)).json.result).toMatchObject({ content: [] });
    expect(server.methodCount('initialize')).toBe(2);
    const methods = server.requests.entries.map(({ rpc }) => rpc.method);
    expect(methods.filter((method) => method === 'tools/call' || method === 'logging/setLevel')).toEqual([
      'logging/setLevel',
      'tools/call',
      'logging/setLevel',
      'tools/call',
    ]);
  });

  it.each(ways)('a server that was modern at the last start: 404, %s', async (_, headers, write) => {
    await using server = await startRawMcpServer();
    const bridge = await composeBridge(refuseFirst(server, 404, write, headers), {
      remembered: { era: 'modern' },
    });
    await using _bridge = bridge.read();
    const ask = (id: number) => bridge.request(id, 'tools/call', { name: 'x', _meta: META });
    expect((await ask(1)).json.error.data).toEqual({ mayHaveRun: true, check: 'endpoint' });
    expect((await ask(2)).json.result).toMatchObject({ content: [] });
    expect(sent(server)).toBe(1);
  });

  it('a token that ended with the session is replaced for the next call', async () => {
    await using server = await startRawMcpServer();
    server.behaviours.renews = ({ request, response }) => {
      const { rpc, headers } = request;
      const json = (status: number, body: object, more: Head = {}) =>
        response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body));
      if (rpc.method === 'initialize') {
        const count = server.methodCount('initialize');
        if (count > 1 && headers.authorization !== 'Bearer two')
          return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
        const serverInfo = { name: 'renews', version: '1' };
        const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo };
        return void json(200, { jsonrpc: '2.0', id: rpc.id, result }, { 'mcp-session-id': `s${count}` });
      }
      if (rpc.id === undefined) return void response.writeHead(202).end();
      if (headers['mcp-session-id'] === 's1') return void json(404, rpc, { 'content-length': '3' });
      json(200, { jsonrpc: '2.0', id: rpc.id, result: { content: [] } });
    };
    let token = 'one';
    const authorization: Authorization = {
      current: async () => ({ token }),
      recover: async () => {
        token = 'two';
        return { kind: 'retry', bearer: { token } };
      },
      worked: () => undefined,
      close: async () => undefined,
    };
    await using bridge = (await composeBridge(server.address('renews', 'first'), { authorization })).read();
    await bridge.initialize();
    const one = await bridge.request(1, 'tools/call', { name: 'x' });
    expect(one.json.error.message).toContain('The session has ended; the next message opens a new one.');
    expect((await bridge.request(2, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
    expect(server.methodCount('initialize')).toBe(3);
  });
});

describe('a host of 2026 on an older server that has lost the session', () => {
  const _meta = { ...META, 'io.modelcontextprotocol/logLevel': 'debug' };

  /** What reached the server by method and session. The second level is acknowledged when `release` is called. */
  async function lost() {
    const server = await startRawMcpServer();
    const seen: string[] = [];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.behaviours.loses = async ({ request, response }) => {
      const { rpc, headers } = request;
      const session = String(headers['mcp-session-id']);
      const json = { 'content-type': 'application/json' };
      const answer = (result: object, more: Record<string, string> = {}) =>
        response
          .writeHead(200, { ...json, ...more })
          .end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result }));
      if (rpc.method === 'initialize') {
        const result = {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {}, logging: {} },
          serverInfo: { name: 'loses', version: '1' },
        };
        return void answer(result, { 'mcp-session-id': `s${server.methodCount('initialize')}` });
      }
      if (rpc.id === undefined) return void response.writeHead(202).end();
      seen.push(`${rpc.method} ${session}`);
      if (session === 's1' && rpc.id !== 1 && rpc.method === 'tools/call')
        return void response.writeHead(404).end();
      if (session === 's2' && rpc.method === 'logging/setLevel') await released;
      answer({ content: [] });
    };
    const bridge = await composeBridge(server.address('loses', 'first'), { remembered: { era: 'legacy' } });
    bridge.read();
    const ask = (id: number) => bridge.request(id, 'tools/call', { name: 'x', _meta });
    expect((await ask(1)).json.result).toMatchObject({ content: [] });
    return {
      seen,
      ask,
      bridge,
      release,
      [Symbol.asyncDispose]: async () => {
        release();
        await bridge[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  it('sends nothing into the new one before its log level', async () => {
    await using world = await lost();
    const answers = [world.ask(2), world.ask(3)];
    await expect.poll(() => world.seen).toContain('logging/setLevel s2');
    const late = world.ask(4);
    world.release();
    for (const { json } of await Promise.all([...answers, late]))
      expect(json.result).toMatchObject({ content: [] });
    expect(world.seen.filter((each) => each.endsWith(' s2'))).toEqual([
      'logging/setLevel s2',
      ...Array.from({ length: 3 }, () => 'tools/call s2'),
    ]);
  });

  it('restores it also if the host cancels the call that opened the new one', async () => {
    await using world = await lost();
    void world.ask(2).catch(() => undefined);
    await expect.poll(() => world.seen).toContain('logging/setLevel s2');
    world.bridge.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2, _meta } });
    const next = world.ask(3);
    // The bridge is in this process: it has read both by then.
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    world.release();
    expect((await next).json.result).toMatchObject({ content: [] });
    expect(world.seen.filter((each) => each.endsWith(' s2'))).toEqual([
      'logging/setLevel s2',
      'tools/call s2',
    ]);
  });
});

describe('a call is sent again after a refusal that cannot name it', () => {
  const html = { 'content-type': 'text/html' };
  const reset = (response: ServerResponse) =>
    response.write('<html>gone', () => response.socket?.resetAndDestroy());
  const ways: [
    what: string,
    status: number,
    head: Record<string, string>,
    write: (response: ServerResponse) => unknown,
  ][] = [
    [
      '404, nothing, said to be gzip',
      404,
      { 'content-encoding': 'gzip', 'content-length': '0' },
      (r) => r.end(),
    ],
    [
      '404, a page in a coding that nobody knows',
      404,
      { ...html, 'content-encoding': 'x' },
      (r) => r.end('<p>'),
    ],
    ['404, a page that breaks off', 404, html, reset],
    ['404, words in brackets', 404, { 'content-type': 'text/plain' }, (r) => r.end('[404] no such session')],
    ['429 with Retry-After, a page that breaks off', 429, { ...html, 'retry-after': '0' }, reset],
    ['503 with Retry-After, a page that breaks off', 503, { ...html, 'retry-after': '0' }, reset],
  ];

  it.each(ways)('%s', async (_, status, head, write) => {
    await using server = await startRawMcpServer({ session: 's' });
    let isFirst = true;
    server.behaviours.once = ({ request, response }) => {
      const { id } = request.rpc;
      if (id === 1 && isFirst) {
        isFirst = false;
        write(response.writeHead(status, head));
        return;
      }
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } }));
    };
    await using bridge = (await composeBridge(server.address('once'))).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
    expect(sent(server)).toBe(2);
  });
});

it('calls that are refused under their own id with 404 end no session', async () => {
  await using server = await startRawMcpServer({ session: 's' });
  const body = '{"jsonrpc":"2.0","id":"ID","error":{"code":-32602,"message":"unknown tool"}}';
  await using bridge = (await composeBridge(refuseFirst(server, 404, body))).read();
  await bridge.initialize();
  await bridge.request(1, 'tools/call', { name: 'x' });
  await bridge.request(2, 'tools/call', { name: 'x' });
  expect(server.methodCount('initialize')).toBe(1);
});

describe('mayHaveRun is false only for a call refused before dispatch', () => {
  const refused = async (status: number, headers: Record<string, string> = {}) => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(refuseFirst(server, status, 'no', headers))).read();
    await bridge.initialize();
    return (await bridge.request(1, 'tools/call', { name: 'x' })).json.error;
  };

  it.each([307, 308, 403, 404, 405, 413, 414, 415, 421, 426, 429, 431])('%d: false', async (status) => {
    const error = await refused(status, { location: 'http://127.0.0.1:1/mcp' });
    expect(error.data).toEqual({ mayHaveRun: false, check: 'endpoint' });
    expect(error.message).not.toContain('may have run');
  });

  it.each([
    201, 203, 206, 301, 302, 303, 400, 402, 406, 408, 409, 410, 418, 422, 423, 424, 451, 499, 500, 501, 502,
    503, 504, 505, 507, 511, 520, 521, 522, 523, 524, 525, 526, 527, 529, 599,
  ])('%d: true', async (status) => {
    const error = await refused(status, { location: 'http://127.0.0.1:1/mcp' });
    expect(error.data).toEqual({ mayHaveRun: true, check: 'endpoint' });
    expect(error.message).toContain('may have run');
  });
});

describe('GET in a new session', () => {
  const call = async (bridge: ComposedBridge, id: number) =>
    (await bridge.request(id, 'tools/call', { name: 'x' })).json;

  it('answered with 404 means that there is no such stream', async () => {
    await using server = await startRawMcpServer({ session: 's' });
    server.fail({ kind: 'answer', status: 404, body: 'Cannot GET /mcp' }, ({ method }) => method === 'GET');
    await using bridge = (await composeBridge(server.address())).read();
    await bridge.initialize();
    await server.requests.waitFor(({ method }) => method === 'GET');
    for (const id of [1, 2, 3]) expect((await call(bridge, id)).result).toEqual({ content: [] });
    expect(server.methodCount('initialize')).toBe(1);
    expect(server.requests.count(({ method }) => method === 'GET')).toBe(1);
  });

  it('answered with 404 after the stream was open means that the session is gone', async () => {
    await using server = await startRawMcpServer({ session: 's', stream: true });
    await using bridge = (await composeBridge(server.address())).read();
    await bridge.initialize();
    await expect.poll(() => server.streamsOpen).toBe(1);
    server.fail(
      { kind: 'answer', status: 404, body: 'no such session' },
      ({ method }) => method === 'GET',
      1,
    );
    server.endStreams();
    await server.requests.until(() => server.methodCount('initialize') === 2);
    await expect.poll(() => server.streamsOpen).toBe(1);
    expect((await call(bridge, 1)).result).toEqual({ content: [] });
  });
});
