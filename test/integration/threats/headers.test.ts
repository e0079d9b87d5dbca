import { beforeEach, describe, expect, test } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { UserHeader } from '../../peers/hosts/user-header.ts';
import {
  discovery,
  initializeResult,
  META,
  type WireAnswer,
  type WireRpc,
  WireServer,
} from '../../peers/net/wire-server.ts';

/** .github/SECURITY.md, attack 22, byte by byte: what a server or a host says comes back in a header. The first row of each table is its control. */

const INJECTION = 'x\r\nX-Evil: 1';
let header = new UserHeader();
beforeEach(() => {
  header = new UserHeader();
});

describe('SECURITY.md, attack 22: line breaks on their way into a header', () => {
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
      const text = JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: initializeResult('2025-11-25') });
      const head = `HTTP/1.1 200 OK\r\nMcp-Session-Id: ${id}\r\ncontent-type: application/json`;
      return { bytes: `${head}\r\ncontent-length: ${text.length}\r\n\r\n${text}` };
    });
    await using bridge = (await composeBridge(server.url, { ...header, transport: 'http' })).read();
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
    expect(header.leaks(bridge)).toEqual([]);
  });

  test.each([
    ['2025-11-25', [['2025-11-25']]],
    [`2025-11-25${INJECTION}`, []],
  ])('protocol version %j, for hosts of both eras', async (version, sent) => {
    for (const era of ['legacy', 'modern'] as const) {
      await using server = await WireServer.start(({ id, method }: WireRpc): WireAnswer => {
        if (id === undefined) return { status: 202 };
        return { result: method === 'initialize' ? initializeResult(version) : { tools: [] } };
      });
      const bridge = await composeBridge(server.url, header);
      await using _bridge = bridge.read();
      if (era === 'legacy') await bridge.initialize();
      const { json } = await bridge.request(1, 'tools/list', era === 'modern' ? { _meta: META } : {});
      expect(json.result.tools).toEqual([]);
      const ofSession = server.header('mcp-protocol-version').filter(([one]) => one !== '2026-07-28');
      expect([...new Set(ofSession.map((values) => values.join()))]).toEqual(sent.flat());
      expectOneHeader(server, 'mcp-protocol-version');
      expect(header.leaks(bridge)).toEqual([]);
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
  ])('%s', async (_, name, annotation, region, listed, sentName, sentRegion) => {
    const properties = { region: { type: 'string', 'x-mcp-header': annotation } };
    await using server = await WireServer.start(({ id, method }: WireRpc): WireAnswer => {
      if (id === undefined) return { status: 202 };
      if (method === 'server/discover') return { result: discovery };
      const tools = [{ name, inputSchema: { type: 'object', properties } }];
      const result = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
      return { result: method === 'tools/list' ? { ...result, tools } : { ...result, content: [] } };
    });
    const bridge = await composeBridge(server.url, { ...header, remembered: { era: 'modern' } });
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
    expect(header.leaks(bridge)).toEqual([]);
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
      if (rpc.method === 'initialize') return { result: initializeResult('2025-11-25') };
      if (rpc.id !== undefined) return { bytes: `${stream}id: ${utf8}\nretry: 50\ndata:\n\n` };
      if (method !== 'GET') return { status: 202 };
      return { bytes: `${stream}data: {"jsonrpc":"2.0","id":1,"result":{"resumed":true}}\n\n` };
    });
    const options = { ...header, transport: 'http' } as const;
    await using bridge = (await composeBridge(server.url, options)).read();
    await bridge.request('init', 'initialize', { protocolVersion: '2025-11-25', capabilities: {} });
    const { json } = await bridge.request(1, 'a');
    expect(json.result === undefined).toBe(sent.length === 0);
    expect(server.header('last-event-id')).toEqual(sent);
    expectOneHeader(server, 'last-event-id');
    expect(header.leaks(bridge)).toEqual([]);
  });
});
