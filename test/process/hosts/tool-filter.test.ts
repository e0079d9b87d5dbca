import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawHost, startRawHost } from '../../peers/hosts/raw-host.ts';
import { SERVER_KINDS, TextMcpServer } from '../../peers/mcp-servers/bare/text-mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

let home: TemporaryHome;
let host: RawHost | undefined;
beforeEach(async () => {
  home = await createTemporaryHome();
});
afterEach(async () => {
  await host?.close();
  await home.close();
});

const GET =
  '{"name":"get_it","big":12345678901234567890,"annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}';
const SET = '{"name":"set_it","inputSchema":{"type":"object"}}';
const DELETE = '{"name":"delete_it","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}';

/** A server of the kind with three tools, and a list that the test may change. */
async function threeTools(kind: (typeof SERVER_KINDS)[number]) {
  const server = await TextMcpServer.start(kind);
  const list = { tools: [GET, SET, DELETE] };
  server.answer = ({ id, method }) => {
    if (method !== 'tools/list') return undefined;
    const modern = server.isModern ? ',"resultType":"complete","ttlMs":0,"cacheScope":"private"' : '';
    return [`{"jsonrpc":"2.0","id":${id},"result":{"tools":[${list.tools.join(', ')}]${modern}}}`];
  };
  return { server, list };
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw-host', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

describe.each(['legacy', 'modern'] as const)('a %s host', (era) => {
  const params = (more: object = {}) => (era === 'modern' ? { ...more, _meta: META } : more);
  const names = (message: { result?: unknown }) =>
    (message.result as { tools: { name: string }[] }).tools.map(({ name }) => name);

  it.each(SERVER_KINDS)('sees and calls only the permitted ones of %s', async (kind) => {
    const { server, list } = await threeTools(kind);
    await using _ = server;
    host = startRawHost([server.url, '--allow-tool', '*_it', '--ignore-tool', 'DELETE*'], {
      env: home.env(),
    });
    if (era === 'legacy') await host.initialize();
    expect(names(await host.request('tools/list', params()))).toEqual(['get_it', 'set_it']);
    expect(host.lines.entries.at(-1)?.text).toContain(GET);
    const denied = await host.request('tools/call', params({ name: 'delete_it', arguments: {} }));
    expect(denied.error).toMatchObject({
      code: -32602,
      message: 'The tool "delete_it" is denied by --deny-tool "DELETE*".',
    });
    expect((await host.request('tools/call', params({ name: 'get_it' }))).result).toBeDefined();
    list.tools = [DELETE, SET];
    expect(names(await host.request('tools/list', params()))).toEqual(['set_it']);
    const called = server.messages.entries.filter(({ method }) => method === 'tools/call');
    expect(called).toHaveLength(1);
    expect(server.messages.entries.some(({ text }) => text.includes('delete_it'))).toBe(false);
    host.assertPure();
  });

  it('with --read-only sees only tools that the server marks as such', async () => {
    const { server } = await threeTools('legacy-json');
    await using _ = server;
    host = startRawHost([server.url], { env: home.env({ MCP_DRAWBRIDGE_READ_ONLY: '1' }) });
    if (era === 'legacy') await host.initialize();
    const early = await host.request('tools/call', params({ name: 'get_it' }));
    expect(early.error?.message).toContain('has not been listed');
    expect(names(await host.request('tools/list', params()))).toEqual(['get_it', 'delete_it']);
    expect((await host.request('tools/call', params({ name: 'get_it' }))).result).toBeDefined();
    const refused = await host.request('tools/call', params({ name: 'set_it' }));
    expect(refused.error?.message).toContain('not marked as read-only');
  });
});

it('a blank pattern is refused by name', async () => {
  host = startRawHost(['https://x.example', '--deny-tool', ''], { env: home.env() });
  expect((await host.closed).code).toBe(2);
  expect(host.stderr).toContain('--deny-tool: expected the name of a tool, in which * is any text; got ""');
});
