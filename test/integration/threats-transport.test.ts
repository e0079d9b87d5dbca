import { afterEach, describe, expect, test } from 'vitest';
import { type Logger, silentLogger } from '../../src/platform/logger.ts';
import { CanaryOracle } from '../peers/canary-oracle.ts';
import { type ComposedBridge, composeBridge } from '../peers/composed-bridge.ts';
import { composeEraBridge } from '../peers/era-bridge.ts';
import { startRawMcpServer } from '../peers/raw-mcp-server.ts';
import { startSseMcpServer } from '../peers/sse-mcp-server.ts';
import { type WireAnswer, type WireRpc, WireServer } from '../peers/wire-server.ts';

/** THREATS 17 and 20–22: what an MCP server may do to the bridge and to the host behind it. Each table holds its control. */

const HEADER = 'canary-of-the-user-header';
const headers = [['X-Api-Key', HEADER]] as const;

let warnings: string[] = [];
afterEach(() => {
  warnings = [];
});
const logger: Logger = {
  ...silentLogger,
  warn: (event, fields) => void warnings.push(JSON.stringify([event, fields])),
  debug: (event, fields) => void warnings.push(JSON.stringify([event, fields])),
};

/** The user's header may be seen at the server alone. */
function expectKept(bridge: ComposedBridge, elsewhere: () => readonly string[] = () => []): void {
  const oracle = new CanaryOracle()
    .secret('header', HEADER, ['the server'])
    .place('stdout', () => bridge.received.entries.map(({ line }) => line))
    .place('the log', () => warnings)
    .place('elsewhere', elsewhere);
  expect(oracle.leaks()).toEqual([]);
}

const brackets = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('THREATS 17: JSON that nests 200,000 deep', () => {
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
    await using bridge = (await composeBridge(server.address('attack'), { headers, logger })).read();
    await bridge.initialize();
    const { line } = await bridge.request(1, 'tools/list');
    expect(isRight(line)).toBe(true);
    expect((await bridge.request(2, 'tools/list')).json.result).toEqual({ alive: true });
    expectKept(bridge);
  });

  test.each(['legacy', 'modern'] as const)('from a %s server to a host of the other era', async (era) => {
    await using server = await WireServer.start(({ id, method }: WireRpc): WireAnswer => {
      if (id === undefined) return { status: 202 };
      if (method === 'initialize') return { result: greeting('2025-11-25') };
      if (method === 'server/discover') return { result: discovery };
      if (method === 'tools/list') return { result: { resultType: 'complete', tools: [] } };
      const text = message(`"id":${JSON.stringify(id)},"result":{"resultType":"complete","content":${DEEP}}`);
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}`;
      return { bytes: `${head}\r\n\r\n${text}` };
    });
    const { bridge } = await composeEraBridge(server.url, { headers, logger, era });
    await using _bridge = bridge.read();
    if (era === 'modern') await bridge.initialize();
    const ask = (id: number, method: string, params: object) =>
      bridge.request(id, method, era === 'modern' ? params : { ...params, _meta: META });
    expect((await ask(1, 'tools/call', { name: 'deep' })).line.includes(DEEP)).toBe(true);
    expect((await ask(2, 'tools/list', {})).json.result.tools).toEqual([]);
    expectKept(bridge);
  });
});

describe('THREATS 20: the endpoint of HTTP+SSE is at another origin', () => {
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
    const options = { headers, logger, transport: 'sse' } as const;
    await using bridge = (await composeBridge(server.url, options)).read();
    const { json } = await bridge.initialize();
    if (isServed) expect(json.result).toBeDefined();
    else expect(json.error.message).toContain('not at its own origin');
    expect(stranger.requests.entries).toEqual([]);
    expect(server.requests.count(({ method }) => method === 'POST') > 0).toBe(isServed);
    expect(server.requests.entries.every((request) => request.headers['x-api-key'] === HEADER)).toBe(true);
    expectKept(bridge);
  });
});

describe('THREATS 21: what the host never asked for and never offered', () => {
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
      await using bridge = (await composeBridge(server.address(), { headers, logger })).read();
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
        expect(warnings.join()).toContain(method);
      }
      for (const id of seen) expect(answersTo(server, id)).toEqual([]);
      expectKept(bridge);
    },
  );

  test.each([
    ['offered, as a control', { elicitation: {} }, true],
    ['never offered', {}, false],
  ])('in a call of a host of 2026, %s', async (_, capabilities, isAsked) => {
    let told: WireRpc;
    await using server = await WireServer.start((rpc: WireRpc): WireAnswer => {
      if (rpc.method === undefined && rpc.error !== undefined) told = rpc;
      if (rpc.id === undefined || rpc.method === undefined) return { status: 202 };
      if (rpc.method === 'initialize') return { result: greeting('2025-11-25') };
      const ask = JSON.stringify({ jsonrpc: '2.0', ...asks[1] });
      const answer = JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: { content: [] } });
      const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close';
      return { bytes: `${head}\r\n\r\ndata: ${ask}\n\ndata: ${answer}\n\n` };
    });
    const { bridge } = await composeEraBridge(server.url, { headers, logger });
    await using _bridge = bridge.read();
    const _meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': capabilities };
    const { json } = await bridge.request(1, 'tools/call', { name: 'x', _meta });
    expect(json.result.resultType).toBe(isAsked ? 'input_required' : 'complete');
    if (!isAsked) expect(told).toMatchObject({ id: 's2', error: { code: -32601 } });
    expectKept(bridge);
  });

  test('answers to nothing, and second answers', async () => {
    await using server = await startRawMcpServer({ stream: true });
    server.behaviours.thrice = ({ request, response }) => {
      const answer = (id: unknown, n: number) =>
        `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { n } })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(answer('nobody', 0) + answer(request.rpc.id, 1) + answer(request.rpc.id, 2));
    };
    await using bridge = (await composeBridge(server.address('thrice'), { headers, logger })).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'a')).json.result).toEqual({ n: 1 });
    // The id as text is another one, and the last answer of the first call is through when the second has its own.
    expect((await bridge.request('1', 'a')).json.result).toEqual({ n: 1 });
    expect([bridge.answersTo(1), bridge.answersTo('1'), bridge.answersTo('nobody')]).toEqual([1, 1, 0]);
    expect(warnings.filter((text) => text.includes('nothing waits for')).length).toBeGreaterThanOrEqual(3);
    expectKept(bridge);
  });
});

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const INJECTION = 'x\r\nX-Evil: 1';
const greeting = (protocolVersion: string) => ({
  protocolVersion,
  capabilities: { tools: {} },
  serverInfo: { name: 'wire', version: '1' },
});
const discovery = {
  ...{ resultType: 'complete', supportedVersions: ['2026-07-28'], ttlMs: 0, cacheScope: 'private' },
  capabilities: { tools: {} },
};

describe('THREATS 22: line breaks on their way into a header', () => {
  /** Never a header of its own, never a line break that is not the protocol's. */
  function expectOneHeader(server: WireServer, name: string): void {
    for (const values of server.header(name)) expect(values).toHaveLength(1);
    for (const head of server.heads) expect(head).not.toMatch(/x-evil|[^\r]\n|\r[^\n]/i);
  }

  test.each([
    ['an ordinary one, as a control', 'canary-session-1', true],
    ['a line feed', 'canary-session-1\nX-Evil: 1', false],
    ['a return', 'canary-session-1\rX-Evil: 1', false],
    ['a control character', 'canary-session-1\u0001', false],
    ['white space', 'canary-session-1 x', false],
    ['bytes above ASCII', 'canary-session-1\u00ff', false],
    ['two of them', 'canary-session-1\r\nMcp-Session-Id: another', false],
  ])('session id: %s', async (_, id, isServed) => {
    await using server = await WireServer.start((rpc: WireRpc): WireAnswer => {
      if (rpc.method !== 'initialize') return rpc.id === undefined ? { status: 202 } : { result: {} };
      const text = JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: greeting('2025-11-25') });
      const head = `HTTP/1.1 200 OK\r\nMcp-Session-Id: ${id}\r\ncontent-type: application/json`;
      return { bytes: `${head}\r\ncontent-length: ${text.length}\r\n\r\n${text}` };
    });
    await using bridge = (await composeBridge(server.url, { headers, logger, transport: 'http' })).read();
    const { json } = await bridge.initialize();
    // What is no HTTP at all is stood in for, as any server that cannot be reached.
    expect(json.result?.serverInfo.name === 'wire').toBe(isServed);
    if (isServed) {
      await bridge.request(1, 'a');
      expect(server.header('mcp-session-id')).toContainEqual([id]);
    } else {
      expect(JSON.stringify(json.error ?? '')).not.toMatch(/\p{Cc}|X-Evil/u);
      expect(server.wire).not.toContain('canary-session-1');
    }
    expectOneHeader(server, 'mcp-session-id');
    expectKept(bridge);
  });

  test.each([
    ['2025-11-25', [['2025-11-25']]],
    [`2025-11-25${INJECTION}`, []],
  ])('protocol version %j, for hosts of both eras', async (version, sent) => {
    for (const era of ['legacy', 'modern'] as const) {
      await using server = await WireServer.start(({ id, method }: WireRpc): WireAnswer => {
        if (id === undefined) return { status: 202 };
        return { result: method === 'initialize' ? greeting(version) : { tools: [] } };
      });
      const { bridge } = await composeEraBridge(server.url, { headers, logger });
      await using _bridge = bridge.read();
      if (era === 'legacy') await bridge.initialize();
      const { json } = await bridge.request(1, 'tools/list', era === 'modern' ? { _meta: META } : {});
      expect(json.result.tools).toEqual([]);
      const ofSession = server.header('mcp-protocol-version').filter(([one]) => one !== '2026-07-28');
      expect([...new Set(ofSession.map((values) => values.join()))]).toEqual(sent.flat());
      expectOneHeader(server, 'mcp-protocol-version');
      expectKept(bridge);
    }
  });

  test.each([
    ['plain, as a control', 'echo', 'Region', 'north', ['echo'], 'echo', 'north'],
    [
      'in the name of a tool',
      INJECTION,
      'Region',
      'north',
      [INJECTION],
      '=?base64?eA0KWC1FdmlsOiAx?=',
      'north',
    ],
    ['in an argument', 'echo', 'Region', INJECTION, ['echo'], 'echo', '=?base64?eA0KWC1FdmlsOiAx?='],
    ['in x-mcp-header', 'echo', INJECTION, 'north', [], undefined, undefined],
  ])('%s', async (_, name, header, region, listed, sentName, sentRegion) => {
    const properties = { region: { type: 'string', 'x-mcp-header': header } };
    await using server = await WireServer.start(({ id, method }: WireRpc): WireAnswer => {
      if (id === undefined) return { status: 202 };
      if (method === 'server/discover') return { result: discovery };
      const tools = [{ name, inputSchema: { type: 'object', properties } }];
      const result = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
      return { result: method === 'tools/list' ? { ...result, tools } : { ...result, content: [] } };
    });
    const { bridge } = await composeEraBridge(server.url, { headers, logger, era: 'modern' });
    await using _bridge = bridge.read();
    const list = await bridge.request(1, 'tools/list', { _meta: META });
    expect(list.json.result.tools.map((tool: { name: string }) => tool.name)).toEqual(listed);
    if (sentName !== undefined) {
      const params = { name, arguments: { region }, _meta: META };
      expect((await bridge.request(2, 'tools/call', params)).json.result.content).toEqual([]);
      expect(server.header('mcp-name')).toEqual([[sentName]]);
      expect(server.header('mcp-param-region')).toEqual([[sentRegion]]);
    }
    expectOneHeader(server, 'mcp-name');
    expectKept(bridge);
  });

  test.each([
    ['plain, as a control', 'at-7', [['at-7']]],
    ['beyond Latin-1', '位置', [[Buffer.from('位置').toString('latin1')]]],
    ['a control character', 'at-7\u0001', []],
    ['larger than a position', 'x'.repeat(5_000), []],
  ])('the id of an event that comes back as Last-Event-ID: %s', async (_, id, sent) => {
    await using server = await WireServer.start((rpc: WireRpc, { method }): WireAnswer => {
      const stream = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n';
      const utf8 = Buffer.from(id).toString('latin1');
      if (rpc.method === 'initialize') return { result: greeting('2025-11-25') };
      if (rpc.id !== undefined) return { bytes: `${stream}id: ${utf8}\nretry: 50\ndata:\n\n` };
      if (method !== 'GET') return { status: 202 };
      return { bytes: `${stream}data: {"jsonrpc":"2.0","id":1,"result":{"resumed":true}}\n\n` };
    });
    const options = { headers, logger, transport: 'http' } as const;
    await using bridge = (await composeBridge(server.url, options)).read();
    await bridge.request('init', 'initialize', { protocolVersion: '2025-11-25', capabilities: {} });
    const { json } = await bridge.request(1, 'a');
    expect(json.result === undefined).toBe(sent.length === 0);
    expect(server.header('last-event-id')).toEqual(sent);
    expectOneHeader(server, 'last-event-id');
    expectKept(bridge);
  });
});
