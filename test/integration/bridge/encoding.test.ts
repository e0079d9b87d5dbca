import { describe, expect, it } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { startSseMcpServer } from '../../peers/mcp-servers/bare/sse-mcp-server.ts';
import { META } from '../../peers/net/wire-server.ts';

/** `é` as one byte of Latin-1, which is no UTF-8. */
const BROKEN = Buffer.from('caf\u00e9', 'latin1');
const WHOLE = Buffer.from('café', 'utf8');

/** An answer with these bytes in a string, as it goes over the wire. */
function answer(id: unknown, text: Buffer, padding = 0): Buffer {
  const [before = '', after = ''] =
    `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[],"pad":"${'x'.repeat(padding)}","text":"?"}}`.split(
      '?',
    );
  return Buffer.concat([Buffer.from(before), text, Buffer.from(after)]);
}

const LONG = 100_000;
type Shape = (json: Buffer) => { readonly type: string; readonly body: Buffer; readonly status?: number };
const event = (...lines: Buffer[]) => ({
  type: 'text/event-stream',
  body: Buffer.concat([
    ...lines.flatMap((line) => [Buffer.from('data: '), line, Buffer.from('\n')]),
    Buffer.from('\n'),
  ]),
});
const cut = (json: Buffer) => [json.subarray(0, 16), json.subarray(16)];

const SHAPES: [what: string, padding: number, shape: Shape][] = [
  ['a JSON body', 0, (body) => ({ type: 'application/json', body })],
  ['a long JSON body', LONG, (body) => ({ type: 'application/json', body })],
  [
    'a batch',
    0,
    (json) => ({ type: 'application/json', body: Buffer.concat([Buffer.from('['), json, Buffer.from(']')]) }),
  ],
  ['an event', 0, (json) => event(json)],
  ['a long event', LONG, (json) => event(json)],
  ['an event of two lines', 0, (json) => event(...cut(json))],
  ['a long event of two lines', LONG, (json) => event(...cut(json))],
  ['a refusal', 0, (body) => ({ type: 'application/json', body, status: 400 })],
];

describe('a response that is not UTF-8 is an error for its request, and none of its bytes reach the host', () => {
  it.each(SHAPES)('%s', async (_, padding, shape) => {
    await using server = await startRawMcpServer();
    server.behaviours.encodes = ({ request, response }) => {
      const { id } = request.rpc;
      const { type, body, status = 200 } = shape(answer(id, id === 1 ? BROKEN : WHOLE, padding));
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    await using bridge = (await composeBridge(server.address('encodes'))).read();
    await bridge.initialize();
    const { json } = await bridge.request(1, 'tools/call', { name: 'x' });
    const isRefusal = json.error.message.includes('status 400');
    expect(json.error.data).toEqual({ mayHaveRun: true, ...(isRefusal ? { check: 'endpoint' } : {}) });
    expect(json.error.message).toMatch(/UTF-8|status 400/);
    expect((await bridge.request(2, 'tools/call', { name: 'x' })).json.result.text).toBe('café');
    expect(
      bridge.received.entries.filter(({ line }) => line.includes('\ufffd') && !line.includes('status 400')),
    ).toEqual([]);
  });

  it.each(SHAPES.filter(([, , shape]) => shape(WHOLE).status === undefined))(
    'for a host of 2026: %s',
    async (_, padding, shape) => {
      await using server = await startRawMcpServer();
      server.behaviours.encodes = ({ request, response }) => {
        const { id } = request.rpc;
        const { type, body } = shape(answer(id, id === 1 ? BROKEN : WHOLE, padding));
        response.writeHead(200, { 'content-type': type }).end(body);
      };
      const bridge = await composeBridge(server.address('encodes'), { remembered: { era: 'legacy' } });
      await using _bridge = bridge.read();
      const ask = (id: number) => bridge.request(id, 'tools/call', { name: 'x', _meta: META });
      expect((await ask(1)).json.error).toBeDefined();
      expect((await ask(2)).json.result.text).toBe('café');
      expect(bridge.received.entries.filter(({ line }) => line.includes('\ufffd'))).toEqual([]);
    },
  );

  it('over HTTP+SSE', async () => {
    await using server = await startSseMcpServer();
    await using bridge = (await composeBridge(server.url, { transport: 'sse' })).read();
    await bridge.initialize();
    server.silentOn.add('slow');
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'slow' });
    await server.requests.waitFor(({ rpc }) => rpc?.method === 'slow');
    server.push(event(answer(1, BROKEN)).body);
    expect((await bridge.answer(1)).json.error.message).toContain('UTF-8');
    expect((await bridge.request(2, 'echo')).json.result.method).toBe('echo');
  });

  it('the answer to initialize', async () => {
    await using server = await startRawMcpServer();
    server.behaviours.encodes = ({ request, response }) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(answer(request.rpc.id, BROKEN));
    await using bridge = (await composeBridge(server.address('encodes', 'first'))).read();
    const { line, json } = await bridge.initialize();
    expect(json.error).toBeDefined();
    expect(line).not.toContain('\ufffd');
  });
});

it('a host message that is not UTF-8 is refused under its id, and not sent', async () => {
  await using server = await startRawMcpServer();
  await using bridge = (await composeBridge(server.address())).read();
  await bridge.initialize();
  const [before = '', after = ''] =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"?"}}\n'.split('?');
  bridge.write(Buffer.concat([Buffer.from(before), BROKEN, Buffer.from(after)]));
  const { error } = (await bridge.answer(1)).json;
  expect(error).toMatchObject({ code: -32_600, message: expect.stringContaining('UTF-8') });
  bridge.write(
    Buffer.concat([Buffer.from('{"jsonrpc":"2.0","method":"notifications/'), BROKEN, Buffer.from('"}\n')]),
  );
  expect((await bridge.answer(null)).json.error.message).toContain('UTF-8');
  expect((await bridge.request(2, 'tools/call', { name: 'café' })).json.result).toEqual({ content: [] });
  expect(
    server.requests.count(({ rpc }) => rpc.id === 1 || rpc.method?.startsWith('notifications/caf') === true),
  ).toBe(0);
});
