import { describe, expect, it } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import type { Exchange } from '../../peers/mcp-servers/bare/raw-behaviours.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { startSseMcpServer } from '../../peers/mcp-servers/bare/sse-mcp-server.ts';
import { META } from '../../peers/net/wire-server.ts';

/** Events that are no message of the server's. The SDK's client passes over each of them and goes on reading. */
const ODD_EVENTS: [what: string, event: string][] = [
  ['a named event', 'event: ping\ndata: {}\n\n'],
  ['an object that is no message', 'data: {}\n\n'],
  ['text that is not JSON', 'data: tick\n\n'],
  ['half of a message', 'data: {"jsonrpc":"2.0","id":\n\n'],
  ['an empty batch', 'data: []\n\n'],
  ['batches within a batch', 'data: [[[]]]\n\n'],
  ['brackets, 100,000 deep', `data: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n\n`],
  ['brackets that nobody closes', `data: ${'['.repeat(100_000)}\n\n`],
];

const notice = (n: number) =>
  `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { n } })}\n\n`;
const message = (body: object) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...body })}\n\n`;

/** Answers each request, `initialize` included, with a stream that begins with `odd`; forgets session `s1` when told to. */
function oddStreams(odd: string, forgets: () => boolean = () => false) {
  let sessions = 0;
  return ({ request, response }: Exchange) => {
    const { id, method } = request.rpc;
    const { 'mcp-session-id': session } = request.headers;
    if (session === 's1' && forgets()) return void response.writeHead(404).end('no such session');
    if (id === undefined) return void response.writeHead(202).end();
    const head = { 'content-type': 'text/event-stream' };
    if (method !== 'initialize') {
      return void response.writeHead(200, head).end(odd + message({ id, result: { of: session } }));
    }
    sessions++;
    const result = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      serverInfo: { name: 'odd', version: '0' },
    };
    response.writeHead(200, { ...head, 'mcp-session-id': `s${sessions}` });
    response.end(odd + message({ id, result }));
  };
}

describe.each(ODD_EVENTS)('%s', (_, odd) => {
  it('before each answer, over Streamable HTTP: at the start, in a call, and when a lost session is opened again', async () => {
    await using server = await startRawMcpServer();
    let forgets = false;
    server.behaviours.odd = oddStreams(odd, () => forgets);
    await using bridge = (await composeBridge(server.address('odd', 'first'))).read();
    expect((await bridge.initialize()).json.result.serverInfo.name).toBe('odd');
    expect((await bridge.request(1, 'a')).json.result).toEqual({ of: 's1' });
    forgets = true;
    expect((await bridge.request(2, 'a')).json.result).toEqual({ of: 's2' });
    expect(bridge.received.entries.map(({ json }) => json.id)).toEqual(['init', 1, 2]);
  });

  it('before each answer, over HTTP+SSE: at the start, in a call, and when a lost session is opened again', async () => {
    await using server = await startSseMcpServer({ beforeAnswers: odd, retryMs: 50 });
    await using bridge = (await composeBridge(server.url, { transport: 'sse' })).read();
    expect((await bridge.initialize()).json.result.serverInfo.name).toBe('sse');
    expect((await bridge.request(1, 'echo')).json.result.method).toBe('echo');
    server.endStreams();
    await server.requests.until(() => server.streamsOpened === 2);
    expect((await bridge.request(2, 'echo')).json.result.method).toBe('echo');
    expect(bridge.received.entries.map(({ json }) => json.id)).toEqual(['init', 1, 2]);
  });

  it("on the server's own stream, which goes on; what came in the same chunk is relayed", async () => {
    await using server = await startRawMcpServer({ stream: true });
    await using bridge = (await composeBridge(server.address())).read();
    await bridge.initialize();
    await expect.poll(() => server.streamsOpen).toBe(1);
    server.push(odd + notice(1) + odd);
    server.push(notice(2));
    await bridge.received.waitFor(({ json }) => json.params?.n === 2);
    expect(bridge.received.entries.flatMap(({ json }) => json.params?.n ?? [])).toEqual([1, 2]);
    expect(server.requests.count(({ method }) => method === 'GET')).toBe(1);
  });

  it('from a legacy server to a 2026 host: at the start, in a call, and on its own stream', async () => {
    await using server = await startRawMcpServer({ stream: true });
    server.behaviours.odd = oddStreams(odd);
    const bridge = await composeBridge(server.address('odd', 'first'), { remembered: { era: 'legacy' } });
    await using _bridge = bridge.read();
    const ask = (id: number) => bridge.request(id, 'tools/call', { name: 'x', _meta: META });
    expect((await ask(1)).json.result.of).toBe('s1');
    await expect.poll(() => server.streamsOpen).toBe(1);
    server.push(odd + odd);
    // The server's question after the odd events is answered, so they did not end the stream.
    server.push(message({ id: 'still there', method: 'ping' }));
    await server.requests.waitFor(({ rpc }) => rpc.id === 'still there');
    expect(server.requests.count(({ method }) => method === 'GET')).toBe(1);
    expect((await ask(2)).json.result.of).toBe('s1');
  });
});

it('messages in the same chunk as the answer to initialize, and after it, reach the host', async () => {
  await using server = await startRawMcpServer();
  server.behaviours.odd = ({ request, response }) => {
    const { id, method } = request.rpc;
    if (method !== 'initialize') return void response.writeHead(202).end();
    const result = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      serverInfo: { name: 'odd', version: '0' },
    };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(notice(1) + message({ id, result }) + notice(2) + notice(3));
  };
  await using bridge = (await composeBridge(server.address('odd', 'first'))).read();
  await bridge.initialize();
  await bridge.received.waitFor(({ json }) => json.params?.n === 3);
  expect(bridge.received.entries.map(({ json }) => json.params?.n ?? json.id)).toEqual([1, 'init', 2, 3]);
});

describe('a response stream without a message', () => {
  it.each([
    ['text that is not JSON', 'data: tick\n\n', /sent something that is not JSON: "tick"/],
    ['an object that is no message', 'data: {}\n\n', /JSON that is not a JSON-RPC message/],
    ['a named event', 'event: ping\ndata: {}\n\n', /ended its response without/],
  ])('%s: the error says what came', async (_, odd, why) => {
    await using server = await startRawMcpServer();
    server.behaviours.odd = ({ response }) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(odd);
    await using bridge = (await composeBridge(server.address('odd'))).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'a')).json.error.message).toMatch(why);
  });

  it('with something else under the id of the call: an error at once, although the stream stays open', async () => {
    await using server = await startRawMcpServer();
    server.behaviours.odd = ({ request, response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: {"id":${JSON.stringify(request.rpc.id)},"result":{}}\n\n`);
    };
    await using bridge = (await composeBridge(server.address('odd'))).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'a')).json.error.message).toMatch(/not a JSON-RPC message/);
  });
});
