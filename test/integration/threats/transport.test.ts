import { beforeEach, describe, expect, test } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { UserHeader } from '../../peers/hosts/user-header.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { startSseMcpServer } from '../../peers/mcp-servers/bare/sse-mcp-server.ts';
import {
  discovery,
  initializeResult,
  META,
  type WireAnswer,
  type WireRpc,
  WireServer,
} from '../../peers/net/wire-server.ts';

/** .github/SECURITY.md, attacks 17, 20 and 21: what an MCP server may do to the bridge and to the host behind it. Each table holds its control. */

let header = new UserHeader();
beforeEach(() => {
  header = new UserHeader();
});

const brackets = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('SECURITY.md, attack 17: JSON nested 200,000 levels deep', () => {
  const DEEP = brackets(200_000);
  const message = (rest: string) => `{"jsonrpc":"2.0",${rest}}`;

  test.each<[what: string, answer: (id: string) => string, host: (text: string) => boolean]>([
    ['nothing, as a control', (id) => message(`"id":${id},"result":{}`), (text) => text.includes('"result"')],
    ['a result', (id) => message(`"id":${id},"result":${DEEP}`), (text) => text.includes(DEEP)],
    [
      'a result in lines',
      (id) => message(`\n"id":${id},\n"result":${DEEP}\n`),
      (text) => text.includes(DEEP) && !/[\r\n]/.test(text),
    ],
    ['an error', (id) => message(`"id":${id},"error":${DEEP}`), (text) => text.includes('"error"')],
    ['an id', () => message(`"id":${DEEP},"result":{}`), (text) => text.includes('"error"')],
    [
      'a batch',
      (id) => `[${message(`"id":${id},"result":{"deep":${DEEP}}`)}]`,
      (text) => text.includes(DEEP),
    ],
    ['a batch of batches', () => DEEP, (text) => text.includes('"error"')],
    ['no message', () => `{"deep":${DEEP}}`, (text) => text.includes('"error"')],
  ])('%s: relayed as it came or an error, and the next call is served', async (_, answer, isRight) => {
    await using server = await startRawMcpServer();
    server.behaviours.attack = ({ request, response }) => {
      const isFirst = request.rpc.id === 1;
      const text = isFirst
        ? answer(JSON.stringify(request.rpc.id))
        : message('"id":2,"result":{"alive":true}');
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    };
    await using bridge = (await composeBridge(server.address('attack'), header)).read();
    await bridge.initialize();
    const { line } = await bridge.request(1, 'tools/call');
    expect(isRight(line)).toBe(true);
    expect((await bridge.request(2, 'tools/call')).json.result).toEqual({ alive: true });
    expect(header.leaks(bridge)).toEqual([]);
  });

  test.each(['legacy', 'modern'] as const)('from a %s server to a host of the other era', async (era) => {
    await using server = await WireServer.start(({ id, method }: WireRpc): WireAnswer => {
      if (id === undefined) return { status: 202 };
      if (method === 'initialize') return { result: initializeResult('2025-11-25') };
      if (method === 'server/discover') return { result: discovery };
      if (method === 'tools/list') return { result: { resultType: 'complete', tools: [] } };
      const text = message(`"id":${JSON.stringify(id)},"result":{"resultType":"complete","content":${DEEP}}`);
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}`;
      return { bytes: `${head}\r\n\r\n${text}` };
    });
    const bridge = await composeBridge(server.url, { ...header, remembered: { era } });
    await using _bridge = bridge.read();
    if (era === 'modern') await bridge.initialize();
    const ask = (id: number, method: string, params: object) =>
      bridge.request(id, method, era === 'modern' ? params : { ...params, _meta: META });
    // What is translated is written again, and what nests too deep for that is an error for its call.
    expect((await ask(1, 'tools/call', { name: 'deep' })).json.error.message).toContain('deep');
    expect((await ask(2, 'tools/list', {})).json.result.tools).toEqual([]);
    expect(header.leaks(bridge)).toEqual([]);
  });
});

describe('SECURITY.md, attack 20: the endpoint of HTTP+SSE is at another origin', () => {
  test.each<[string, (stranger: string) => string, boolean]>([
    ['nothing, as a control', () => '/message?session={id}', true],
    ['another port', (stranger) => `${stranger}/message`, false],
    ['without a scheme', (stranger) => `${stranger.replace('http:', '')}/message`, false],
    ['with backslashes', (stranger) => `${stranger.replace('http://', '\\\\')}/message`, false],
    [
      'with another name for this machine',
      (stranger) => `${stranger.replace('127.0.0.1', 'localhost')}/m`,
      false,
    ],
  ])('%s', async (_, endpoint, isServed) => {
    await using stranger = await startRawMcpServer();
    await using server = await startSseMcpServer({ endpoint: endpoint(stranger.origin) });
    const options = { ...header, transport: 'sse' } as const;
    await using bridge = (await composeBridge(server.url, options)).read();
    const { json } = await bridge.initialize();
    if (isServed) expect(json.result).toBeDefined();
    else expect(json.error.message).toContain('not at its own origin');
    expect(stranger.requests.entries).toEqual([]);
    expect(server.requests.count(({ method }) => method === 'POST') > 0).toBe(isServed);
    expect(server.requests.entries.every((request) => request.headers['x-api-key'] === header.value)).toBe(
      true,
    );
    expect(header.leaks(bridge)).toEqual([]);
  });
});

describe('SECURITY.md, attack 21: requests that the host never offered to answer, and unrequested responses', () => {
  const asks = [
    { id: 's1', method: 'sampling/createMessage', params: { messages: [] } },
    { id: 's2', method: 'elicitation/create', params: { message: 'password?' } },
    { id: 's3', method: 'roots/list' },
    { id: 's4', method: 'tasks/list' },
  ];
  const all = { sampling: {}, elicitation: {}, roots: {}, tasks: {} };
  const answersTo = (server: { requests: { entries: readonly { rpc: WireRpc }[] } }, id: string) =>
    server.requests.entries.filter(({ rpc }) => rpc?.id === id && rpc?.method === undefined);

  test.each([
    ['everything offered, as a control', all, ['s1', 's2', 's3', 's4']],
    ['nothing offered', {}, []],
    ['something else offered', { roots: {}, experimental: all }, ['s3']],
  ] as [string, object, string[]][])(
    'requests of the server, %s: the host sees %j',
    async (_, capabilities, seen) => {
      await using server = await startRawMcpServer({ stream: true });
      await using bridge = (await composeBridge(server.address(), header)).read();
      await bridge.initialize({ capabilities });
      await expect.poll(() => server.streamsOpen).toBe(1);
      for (const ask of asks) server.push(`data: ${JSON.stringify({ jsonrpc: '2.0', ...ask })}\n\n`);
      server.push('data: {"jsonrpc":"2.0","id":"s5","method":"ping"}\n\n');
      await bridge.received.waitFor(({ json }) => json.method === 'ping');
      const asked = bridge.received.entries.filter(
        ({ json }) => json.method !== undefined && json.id !== 's5',
      );
      expect(asked.map(({ json }) => json.id)).toEqual(seen);
      for (const { id, method } of asks.filter((ask) => !seen.includes(ask.id))) {
        const refusal = await server.requests.waitFor(({ rpc }) => rpc.id === id);
        expect(refusal.rpc).toMatchObject({ error: { code: -32601 } });
        expect(header.told.join()).toContain(method);
      }
      for (const id of seen) expect(answersTo(server, id)).toEqual([]);
      expect(header.leaks(bridge)).toEqual([]);
    },
  );

  test.each([
    ['offered, as a control', { elicitation: {} }, true],
    ['never offered', {}, false],
  ])('in a call of a 2026 host, %s', async (_, capabilities, isAsked) => {
    let told: WireRpc;
    await using server = await WireServer.start((rpc: WireRpc): WireAnswer => {
      if (rpc.method === undefined && rpc.error !== undefined) told = rpc;
      if (rpc.id === undefined || rpc.method === undefined) return { status: 202 };
      if (rpc.method === 'initialize') return { result: initializeResult('2025-11-25') };
      const ask = JSON.stringify({ jsonrpc: '2.0', ...asks[1] });
      const answer = JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: { content: [] } });
      const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close';
      return { bytes: `${head}\r\n\r\ndata: ${ask}\n\ndata: ${answer}\n\n` };
    });
    const bridge = await composeBridge(server.url, header);
    await using _bridge = bridge.read();
    const _meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': capabilities };
    const { json } = await bridge.request(1, 'tools/call', { name: 'x', _meta });
    expect(json.result.resultType).toBe(isAsked ? 'input_required' : 'complete');
    if (!isAsked) expect(told).toMatchObject({ id: 's2', error: { code: -32601 } });
    expect(header.leaks(bridge)).toEqual([]);
  });

  test('responses to nothing, and second responses', async () => {
    await using server = await startRawMcpServer({ stream: true });
    server.behaviours.thrice = ({ request, response }) => {
      const answer = (id: unknown, n: number) =>
        `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { n } })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(answer('nobody', 0) + answer(request.rpc.id, 1) + answer(request.rpc.id, 2));
    };
    await using bridge = (await composeBridge(server.address('thrice'), header)).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'a')).json.result).toEqual({ n: 1 });
    // The id as text is another one, and the last answer of the first call is through when the second has its own.
    expect((await bridge.request('1', 'a')).json.result).toEqual({ n: 1 });
    expect([bridge.answersTo(1), bridge.answersTo('1'), bridge.answersTo('nobody')]).toEqual([1, 1, 0]);
    expect(header.told.filter((text) => text.includes('nothing waits for')).length).toBeGreaterThanOrEqual(3);
    expect(header.leaks(bridge)).toEqual([]);
  });
});
