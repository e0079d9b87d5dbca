import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { headOf, type Kind, TOKEN } from './messages.ts';

/**
 * The server of the bench, a process of its own: as little work per answer as can be, so that the part in between is measured. `/mcp` is
 * open, `/protected` wants the bearer token.
 */

/** One write of a large answer, and of a burst of notifications. */
const PIECE_BYTES = 64 * 1024;
const SESSION = { 'mcp-session-id': 'bench' };
const AS_JSON = { 'content-type': 'application/json' };
const AS_EVENTS = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
const INITIALIZE_RESULT = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'bench', version: '1.0.0' },
};
const TOOLS = ['answer', 'progress', 'take'].map((name) => ({ name, inputSchema: { type: 'object' } }));

interface Call {
  readonly params?: { readonly arguments?: { bytes?: number; kind?: Kind; count?: number } };
}

const fillers = new Map<number, Buffer>();

/** The text of an answer of that size, made once. */
function filler(bytes: number): Buffer {
  const known = fillers.get(bytes) ?? Buffer.alloc(bytes, 'x');
  fillers.set(bytes, known);
  return known;
}

/** Waits where the connection is full: the server holds no more than a piece. */
async function write(response: ServerResponse, piece: Buffer | string): Promise<void> {
  if (response.write(piece) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

async function answer(response: ServerResponse, id: number, bytes: number, kind: Kind): Promise<void> {
  const head = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`;
  const tail = '"}]}}';
  const text = filler(bytes);
  const [before, after] = kind === 'json' ? ['', ''] : ['event: message\ndata: ', '\n\n'];
  if (bytes <= PIECE_BYTES) {
    const whole = `${before}${head}${text.toString('latin1')}${tail}${after}`;
    response.writeHead(
      200,
      kind === 'json' ? { ...AS_JSON, 'content-length': Buffer.byteLength(whole) } : AS_EVENTS,
    );
    response.end(whole);
    return;
  }
  response.writeHead(
    200,
    kind === 'json' ? { ...AS_JSON, 'content-length': bytes + head.length + tail.length } : AS_EVENTS,
  );
  await write(response, before + head);
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    await write(response, text.subarray(at, Math.min(bytes, at + PIECE_BYTES)));
  }
  response.end(tail + after);
}

async function progress(response: ServerResponse, id: number, count: number): Promise<void> {
  response.writeHead(200, AS_EVENTS);
  let piece = '';
  for (let at = 1; at <= count; at++) {
    piece += `event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${id},"progress":${at},"total":${count}}}\n\n`;
    if (piece.length < PIECE_BYTES) continue;
    await write(response, piece);
    piece = '';
  }
  response.end(`${piece}event: message\ndata: {"jsonrpc":"2.0","id":${id},"result":{"content":[]}}\n\n`);
}

function result(response: ServerResponse, id: number, value: object, headers: object = {}): void {
  const text = JSON.stringify({ jsonrpc: '2.0', id, result: value });
  response.writeHead(200, { ...AS_JSON, ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (request.url === '/protected' && request.headers.authorization !== `Bearer ${TOKEN}`) {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    return;
  }
  if (request.method !== 'POST') {
    response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
    return;
  }
  const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  const { id, method, tool } = headOf(body);
  if (id === undefined) {
    response.writeHead(202).end();
    return;
  }
  if (method === 'initialize') return result(response, id, INITIALIZE_RESULT, SESSION);
  if (method === 'tools/list') return result(response, id, { tools: TOOLS });
  if (tool === 'take') return result(response, id, { content: [{ type: 'text', text: `${body.length}` }] });
  const wish = (JSON.parse(body.toString('utf8')) as Call).params?.arguments ?? {};
  if (tool === 'progress') return progress(response, id, wish.count ?? 0);
  return answer(response, id, wish.bytes ?? 0, wish.kind ?? 'json');
}

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.keepAliveTimeout = 60_000;
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
// The bench that started it is gone.
process.on('disconnect', () => process.exit());
