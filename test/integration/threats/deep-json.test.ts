import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { type Listening, listen, readBody } from '../../peers/net/listening.ts';
import { discovery, initializeResult, META, type WireRpc } from '../../peers/net/wire-server.ts';

/** JSON that overflows the stack of whatever walks it by recursion, from each kind of server to each kind of host, at each place of a session. */
const DEEP = '['.repeat(200_000) + ']'.repeat(200_000);

const SERVERS = {
  'HTTP+SSE': { era: 'legacy', isStream: true },
  'Streamable HTTP, JSON': { era: 'legacy', isStream: false },
  'Streamable HTTP, event streams': { era: 'legacy', isStream: true },
  'the revision of 2026, JSON': { era: 'modern', isStream: false },
  'the revision of 2026, event streams': { era: 'modern', isStream: true },
} as const;
type Kind = keyof typeof SERVERS;

const RESULTS: Readonly<Record<string, unknown>> = {
  initialize: initializeResult('2025-11-25'),
  'server/discover': discovery,
  'tools/list': { resultType: 'complete', tools: [], ttlMs: 0, cacheScope: 'private' },
  'tools/call': { resultType: 'complete', content: [{ type: 'text', text: 'called' }] },
};

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'host', version: '1' },
};

/** The answer in place of the real one, for a request with this id. */
const FORMS: readonly (readonly [form: string, text: (id: string) => string])[] = [
  ['a result', (id) => `{"jsonrpc":"2.0","id":${id},"result":${DEEP}}`],
  [
    'a field of a result',
    (id) => `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","x":${DEEP}}}`,
  ],
  ['an error', (id) => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32000,"message":"","data":${DEEP}}}`],
  ['no message', () => DEEP],
];

/** A server that answers the first request of one method with the attack, and all else as it should. */
async function startServer(kind: Kind, method: string, attack: (id: string) => string): Promise<Listening> {
  const { era, isStream } = SERVERS[kind];
  let isOver = false;
  let channel: ServerResponse | undefined;
  const answer = (rpc: WireRpc): string => {
    const id = JSON.stringify(rpc.id);
    if (rpc.method === method && !isOver) {
      isOver = true;
      return attack(id);
    }
    const isKnown =
      rpc.method in RESULTS && rpc.method !== (era === 'legacy' ? 'server/discover' : 'initialize');
    const body = isKnown
      ? `"result":${JSON.stringify(RESULTS[rpc.method])}`
      : '"error":{"code":-32601,"message":"no such method"}';
    return `{"jsonrpc":"2.0","id":${id},${body}}`;
  };
  return listen(async (request, response) => {
    const isMessage = request.method === 'POST' && (kind !== 'HTTP+SSE' || request.url === '/message');
    if (request.method === 'GET' && kind === 'HTTP+SSE') {
      channel = response;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.write('event: endpoint\ndata: /message\n\n');
    }
    if (!isMessage) return void response.writeHead(405).end();
    const rpc: WireRpc = JSON.parse((await readBody(request)).toString('utf8'));
    if (rpc.id === undefined || kind === 'HTTP+SSE') response.writeHead(202).end();
    if (rpc.id === undefined) return;
    const text = answer(rpc);
    if (kind === 'HTTP+SSE') return void channel?.write(`event: message\ndata: ${text}\n\n`);
    // What a server of 2026 does not know it refuses without a stream.
    const streams = isStream && !(rpc.method === 'initialize' && era === 'modern');
    const type = streams ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'content-type': type }).end(streams ? `data: ${text}\n\n` : text);
  });
}

describe.each(['legacy', 'modern'] as const)(
  'SECURITY.md, attack 17: JSON nested 200,000 levels deep, to a %s host',
  (host) => {
    describe.each(Object.keys(SERVERS) as Kind[])('from %s', (kind) => {
      const opening = SERVERS[kind].era === 'modern' ? 'server/discover' : 'initialize';
      const cases = [opening, 'tools/list', 'tools/call'].flatMap((method) =>
        FORMS.flatMap(([form, attack]) => {
          // An event that is no message is nobody's answer, and the call goes on: nothing to look at here.
          if (kind === 'HTTP+SSE' && form === 'no message') return [];
          return [[form, method, attack] as const];
        }),
      );

      test.each(cases)(
        '%s in the response to %s: one response each, and an honest call is served',
        async (_form, method, attack) => {
          const server = await startServer(kind, method, attack);
          const bridge = await composeBridge(`${server.origin}/mcp`);
          await using _bridge = bridge.read();
          const ask = (id: string, name: string, params: object = {}) =>
            bridge.request(id, name, host === 'modern' ? { ...params, _meta: META } : params);
          // As hosts do that are refused, or answered with what is none.
          const open = (id: string) =>
            host === 'modern' ? ask(id, 'server/discover') : ask(id, 'initialize', INITIALIZE);
          const { json: opened } = await open('open');
          if (opened.result?.capabilities === undefined) await open('open again');
          await ask('list', 'tools/list');
          await ask('call', 'tools/call', { name: 'echo', arguments: {} });
          const { json } = await ask('honest', 'tools/call', { name: 'echo', arguments: {} });
          expect(json.result?.content, JSON.stringify(json.error)).toEqual([
            { type: 'text', text: 'called' },
          ]);
          for (const id of ['open', 'list', 'call', 'honest']) {
            expect([id, bridge.answersTo(id)]).toEqual([id, 1]);
          }
          await server.close();
        },
      );
    });
  },
);
