import { expect, it } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { listen, readBody } from '../../peers/net/listening.ts';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
/** The session is over as soon as the bridge has read the 404. */
const MOST_CALLS = 500;

it('a modern host gets a new session when the stream of a legacy server says that the first has ended', async () => {
  let sessions = 0;
  let streams = 0;
  const sessionsCalledIn = new Set<string>();
  const server = await listen(async (request, response) => {
    const body = (await readBody(request)).toString('utf8');
    if (request.method === 'GET') {
      streams++;
      // The first stream is real, and ends; the second says that its session is unknown.
      if (streams !== 2) response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (streams === 1) return void response.end();
      return streams === 2 ? void response.writeHead(404).end() : response.flushHeaders();
    }
    if (request.method === 'DELETE') return void response.writeHead(200).end();
    const { id, method } = JSON.parse(body);
    if (id === undefined) return void response.writeHead(202).end();
    if (method === 'server/discover') return void response.writeHead(400).end();
    const isOpening = method === 'initialize';
    if (isOpening) sessions++;
    else sessionsCalledIn.add(String(request.headers['mcp-session-id']));
    const result = isOpening
      ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'old', version: '1' } }
      : { content: [] };
    response
      .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': `s${sessions}` })
      .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  });
  try {
    await using bridge = (await composeBridge(`${server.origin}/mcp`)).read();
    for (let id = 0; id < MOST_CALLS && sessionsCalledIn.size < 2; id++) {
      const { json } = await bridge.request(id, 'tools/call', { name: 'x', _meta: META });
      expect(json.result.content).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect([...sessionsCalledIn]).toEqual(['s1', 's2']);
    expect(sessions).toBe(2);
  } finally {
    await server.close();
  }
});
