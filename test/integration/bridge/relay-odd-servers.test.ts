import { describe, expect, it } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { ODD_RESULT } from '../../peers/mcp-servers/bare/raw-behaviours.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';

const ODD_PARAMS =
  '{"name":"x","arguments":{"zeta":12345678901234567890,"alpha":1.0,"text":"caf\\u00e9 \\/ é 😀"},"_meta":{"progressToken":0,"io.example/x":[1e2]},"unknown":null}';
const line = (id: number | string, params = ODD_PARAMS) =>
  `{"params":${params},"method":"tools/call","id":${JSON.stringify(id)},"jsonrpc":"2.0"}`;

describe('relays byte for byte', () => {
  it.each(['odd', 'odd-stream', 'one-byte', 'one-byte-json'])(
    '%s: bytes arrive as sent, in both directions',
    async (behaviour) => {
      await using server = await startRawMcpServer();
      await using bridge = (await composeBridge(server.address(behaviour))).read();
      await bridge.initialize();
      bridge.send(line(7));
      const answer = await bridge.answer(7);
      expect(answer.line).toBe(`{"jsonrpc":"2.0","id":7,"result":${ODD_RESULT}}`);
      expect(server.requests.entries.find(({ rpc }) => rpc.id === 7)?.body).toBe(line(7));
    },
  );

  it.each(['line-breaks', 'line-breaks-stream'])(
    '%s: raw line breaks become one line with the same meaning',
    async (behaviour) => {
      await using server = await startRawMcpServer();
      await using bridge = (await composeBridge(server.address(behaviour))).read();
      await bridge.initialize();
      const answer = await bridge.request(1, 'tools/call', { name: 'x' });
      expect(answer.json.result.content).toEqual([]);
    },
  );

  it('accepts lines cut anywhere by the pipe, CRLF, and blank lines', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('well'))).read();
    await bridge.initialize();
    for (const byte of Buffer.from(`\n${line('é')}\r\n\r\n`)) bridge.write(Uint8Array.of(byte));
    await bridge.answer('é');
    expect(server.requests.entries.find(({ rpc }) => rpc.id === 'é')?.body).toBe(line('é'));
  });

  it('relays unknown methods and notifications, and keeps the order of notifications', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(`${server.address('notifications')}?count=500`)).read();
    await bridge.initialize();
    await bridge.request(1, 'x-vendor/unheard-of', { a: 1 });
    const sequences = bridge.received.entries
      .filter(({ json }) => json.method === 'notifications/message')
      .map(({ json }) => json.params.data.sequence);
    expect(sequences).toEqual(Array.from({ length: 500 }, (_, index) => index));
  });
});

describe('one response for each id, whatever the server does', () => {
  it.each([
    ['html', /status 200 and content type "text\/html".*<h1>Hello \[31m<\/h1>/],
    ['html-as-json', /not JSON/],
    ['no-type', /content type none/],
    ['empty', /not JSON/],
    ['empty-stream', /ended its response without/],
    ['accepted', /ended its response without/],
    ['nothing', /ended its response without/],
    ['wrong-id', /ended its response without/],
    ['wrong-id-stream', /ended its response without/],
    ['not-jsonrpc', /not a JSON-RPC message/],
    ['error-400', /status 400 and the error "Bad Request: no"/],
    ['status?status=500', /status 500/],
    ['status?status=409', /status 409/],
    ['status?status=403', /status 403.*not allowed/],
    ['reset', /connection to .* broke/i],
    ['reset-json', /connection to .* broke/i],
    ['reset-stream', /connection to .* broke/i],
    ['cut-stream', /ended its response without/],
    ['truncated-event', /ended its response without/],
    ['redirect?to=http://127.0.0.1:1/mcp', /status 307.*points to "http:\/\/127\.0\.0\.1:1\/mcp"/],
  ])('%s → one error that says why', async (behaviour, why) => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address(behaviour))).read();
    await bridge.initialize();
    const answer = await bridge.request(1, 'tools/call', { name: 'x' });
    expect(answer.json.error.message).toMatch(why);
    expect(answer.json.error.message).not.toMatch(/\p{Cc}/u);
    // Others are not harmed: the same bridge still answers.
    expect((await bridge.request('next', 'tools/call', { name: 'x' })).json.id).toBe('next');
    expect(bridge.answersTo(1)).toBe(1);
    expect(server.requests.count(({ rpc }) => rpc.id === 1)).toBe(1);
  });

  it.each(['reset-html', 'badly-coded-html'])(
    '%s: an unreadable page does not count as accepted, so nothing more is waited for',
    async (behaviour) => {
      await using server = await startRawMcpServer({ stream: true });
      await using bridge = (await composeBridge(server.address(behaviour))).read();
      await bridge.initialize();
      await expect.poll(() => server.streamsOpen).toBe(1);
      const { json } = await bridge.request(1, 'tools/call', { name: 'x' });
      expect(json.error.message).toMatch(/content type "text\/html".*its body broke off/);
      expect(json.error.data).toEqual({ mayHaveRun: true, check: 'endpoint' });
    },
  );

  it('status 200 with an empty body does not count as accepted, so nothing more is waited for', async () => {
    await using server = await startRawMcpServer({ stream: true });
    await using bridge = (await composeBridge(server.address('nothing'))).read();
    await bridge.initialize();
    await expect.poll(() => server.streamsOpen).toBe(1);
    const { json } = await bridge.request(1, 'tools/call', { name: 'x' });
    expect(json.error.message).toMatch(/ended its response without/);
    expect(json.error.data).toEqual({ mayHaveRun: true });
  });

  it('drops a second response', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('two-answers'))).read();
    await bridge.initialize();
    expect((await bridge.request(0, 'tools/call', { name: 'x' })).json.result.which).toBe(1);
    await bridge.request('next', 'tools/call', { name: 'x' });
    expect(bridge.answersTo(0)).toBe(1);
  });

  it('splits a batch from the server', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('batch'))).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call', { name: 'x' })).json.result).toEqual({ content: [] });
    expect(bridge.received.count(({ json }) => json.method === 'notifications/message')).toBe(1);
  });

  it("relays the server's own error unchanged", async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('error-answer'))).read();
    await bridge.initialize();
    const { line: answer } = await bridge.request(1, 'tools/call', { name: 'x' });
    expect(answer).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no","data":{"z":1,"a":2}}}',
    );
  });

  it('relays an initialize error whose message is not a string, and goes on', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('error-object', 'first'))).read();
    const answer = await bridge.initialize();
    expect(answer.json.error.message).toEqual({ toString: 1, valueOf: 1 });
    expect((await bridge.request(2, 'tools/list')).json.id).toBe(2);
  });

  it('keeps 1 and "1" apart', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('well'))).read();
    await bridge.initialize();
    await Promise.all([
      bridge.request(1, 'a'),
      bridge.request('1', 'a'),
      bridge.request(0, 'a'),
      bridge.request('', 'a'),
    ]);
    expect([1, '1', 0, ''].map((id) => bridge.answersTo(id))).toEqual([1, 1, 1, 1]);
  });

  it('follows a redirect within the origin with method and body, and remembers it', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(`${server.address('redirect')}?to=/mcp/well`)).read();
    await bridge.initialize();
    await bridge.request(1, 'tools/call', { name: 'x' });
    await bridge.request(2, 'tools/call', { name: 'x' });
    const atOldAddress = server.requests.entries.filter(
      ({ method, path }) => method === 'POST' && path === '/mcp/redirect',
    );
    expect(atOldAddress.map(({ rpc }) => rpc.method)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/call',
    ]);
    expect(server.requests.entries.filter(({ rpc }) => rpc.id === 2).map(({ path }) => path)).toEqual([
      '/mcp/well',
    ]);
  });

  it('relays a response nested 200,000 levels deep, which no recursive writer could', async () => {
    await using server = await startRawMcpServer();
    await using bridge = await composeBridge(server.address('deep'));
    const longest = new Promise<string>((resolve) => {
      let text = '';
      bridge.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.endsWith('\n') && text.length > 400_000)
          resolve(text.trimEnd().split('\n').at(-1) as string);
      });
    });
    bridge.send(
      {
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {} },
      },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 1, method: 'tools/call' },
    );
    expect((await longest).length).toBe(400_000 + '{"jsonrpc":"2.0","id":1,"result":}'.length);
  });

  it('refuses a message over the limit and serves the next', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (
      await composeBridge(`${server.address('huge')}?bytes=200000`, { maxMessageBytes: 100_000 })
    ).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call')).json.error.message).toContain('more than 100000 bytes');
    await using streaming = (
      await composeBridge(`${server.address('huge-stream')}?bytes=200000`, { maxMessageBytes: 100_000 })
    ).read();
    await streaming.initialize();
    expect((await streaming.request(1, 'tools/call')).json.error.message).toContain('more than 100000 bytes');
    expect((await streaming.request(2, 'tools/call')).json.id).toBe(2);
  });
});

describe('mistakes of the host', () => {
  it('answers each line that is not a message, and goes on', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('well'), { maxMessageBytes: 10_000 })).read();
    await bridge.initialize();
    bridge.send(
      'not json',
      '{"jsonrpc":"2.0"}',
      '[]',
      '7',
      `{"x":"${'y'.repeat(20_000)}"}`,
      '{"jsonrpc":"2.0","id":null,"method":"a"}',
    );
    await bridge.received.until(() => bridge.received.count(({ json }) => json.id === null) === 6);
    expect(
      bridge.received.entries.filter(({ json }) => json.id === null).map(({ json }) => json.error.code),
    ).toEqual([-32700, -32600, -32600, -32600, -32600, -32600]);
    expect((await bridge.request(1, 'tools/list')).json.result).toBeDefined();
  });

  it('answers a batch member by member', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('well'))).read();
    await bridge.initialize();
    bridge.send(
      '[{"jsonrpc":"2.0","id":1,"method":"a","params":{"big":12345678901234567890}}, {"jsonrpc":"2.0","method":"n"},7,{"jsonrpc":"2.0","id":"2","method":"b"}]',
    );
    await Promise.all([bridge.answer(1), bridge.answer('2'), bridge.answer(null)]);
    expect(server.requests.entries.find(({ rpc }) => rpc.id === 1)?.body).toContain('12345678901234567890');
    await server.requests.waitFor(({ rpc }) => rpc.method === 'n');
    expect(server.methodCount('n')).toBe(1);
  });

  it('refuses messages before initialize, a second initialize, and an id that is still pending', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('silent'))).read();
    expect((await bridge.request(1, 'tools/list')).json.error.code).toBe(-32600);
    expect((await bridge.request(2, 'server/discover')).json.error.code).toBe(-32601);
    expect((await bridge.request(3, 'ping')).json.result).toEqual({});
    await bridge.initialize();
    expect((await bridge.request(4, 'initialize', {})).json.error.code).toBe(-32600);
    bridge.send({ jsonrpc: '2.0', id: 5, method: 'a' }, { jsonrpc: '2.0', id: 5, method: 'a' });
    expect((await bridge.answer(5)).json.error.message).toContain('already pending');
    await server.requests.waitFor(({ rpc }) => rpc.id === 5);
    expect(server.requests.count(({ rpc }) => rpc.id === 5)).toBe(1);
  });
});
