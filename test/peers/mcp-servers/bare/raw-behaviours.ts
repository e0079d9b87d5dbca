import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { isListMethod, LISTS } from '../../../../src/protocol/list-methods.ts';
import type { RawMcpServer, RawRequest } from './raw-mcp-server.ts';

export interface Exchange {
  readonly request: RawRequest;
  readonly response: ServerResponse;
  readonly server: RawMcpServer;
  /** Sizes and pauses are told in the address: `/mcp/huge?bytes=1000`. */
  readonly query: URLSearchParams;
}

export type Behaviour = (exchange: Exchange) => void | Promise<void>;

/** A result with every oddity that a relay must not touch: big integers, key order, `_meta`, escapes, unknown fields. */
export const ODD_RESULT =
  '{"content":[{"type":"text","text":"caf\\u00e9 \\ud83d\\ude00 \\/ é 😀"}],"zeta":1,"alpha":12345678901234567890,' +
  '"_meta":{"io.example/trace":{"b":1.0,"a":1e2}},"1":"one","float":0.10}';

function idText({ request }: Exchange): string {
  return JSON.stringify(request.rpc.id);
}

/** An empty result of the kind that was asked for. */
function emptyResult({ request }: Exchange): string {
  const { method = '' } = request.rpc;
  return JSON.stringify({ [isListMethod(method) ? LISTS[method].field : 'content']: [] });
}

function answer(exchange: Exchange, result = emptyResult(exchange)): string {
  return `{"jsonrpc":"2.0","id":${idText(exchange)},"result":${result}}`;
}

function json({ response }: Exchange, body: string | Buffer, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

function stream({ response }: Exchange): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  return response;
}

function event(data: string, id?: string): string {
  const lines = data.split('\n').map((line) => `data: ${line}\n`);
  return `${id === undefined ? '' : `id: ${id}\n`}event: message\n${lines.join('')}\n`;
}

function numbered(sequence: number, padding: string): string {
  const params = `{"level":"info","data":{"sequence":${sequence},"padding":"${padding}"}}`;
  return `{"jsonrpc":"2.0","method":"notifications/message","params":${params}}`;
}

async function writeSlowly(response: ServerResponse, bytes: Buffer, size: number): Promise<void> {
  response.socket?.setNoDelay(true);
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size));
    // One turn of the event loop, so that each piece leaves on its own.
    await delay(0);
  }
}

/** Notifications without end, as fast as the reader takes them, until the test has had enough; then the answer. */
async function endless(exchange: Exchange): Promise<void> {
  const { server, query } = exchange;
  const response = stream(exchange);
  const padding = 'x'.repeat(Number(query.get('bytes') ?? 10_000));
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  for (let sequence = 0; !server.enough && !closed.signal.aborted; sequence++) {
    const text = event(numbered(sequence, padding));
    server.bytesSent += text.length;
    if (!response.write(text)) {
      await once(response, 'drain', { signal: closed.signal }).catch(() => undefined);
    }
  }
  response.end(event(answer(exchange)));
}

/** Half of the answer leaves, then the connection breaks. */
function breakOff(exchange: Exchange, head: Record<string, string>, text: string): void {
  const { response } = exchange;
  response.writeHead(200, head);
  response.write(text.slice(0, Math.ceil(text.length / 2)), () => response.socket?.resetAndDestroy());
}

const JSON_TYPE = { 'content-type': 'application/json' };
const STREAM_TYPE = { 'content-type': 'text/event-stream' };

/** One way to misbehave under each name; `well`, `well-stream` and `odd` are the controls. */
export const rawBehaviours: Record<string, Behaviour> = {
  well: (exchange) => json(exchange, answer(exchange)),
  'well-stream': (exchange) => void stream(exchange).end(event(answer(exchange))),
  odd: (exchange) => json(exchange, answer(exchange, ODD_RESULT)),
  'odd-stream': (exchange) => void stream(exchange).end(event(answer(exchange, ODD_RESULT))),
  /** Pretty-printed, so with line breaks that must not reach the host. */
  'line-breaks': (exchange) =>
    json(exchange, JSON.stringify(JSON.parse(answer(exchange, '{"content":[],"n":[1,2]}')), null, 2)),
  'line-breaks-stream': (exchange) =>
    void stream(exchange).end(event(JSON.stringify(JSON.parse(answer(exchange)), null, 2))),
  html: ({ response }) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello \u001b[31m</h1>'),
  'html-as-json': (exchange) => json(exchange, '<h1>not JSON</h1>'),
  'no-type': (exchange) => void exchange.response.writeHead(200).end(answer(exchange)),
  empty: (exchange) => json(exchange, ''),
  'empty-stream': (exchange) => void stream(exchange).end(),
  /** Status 200 and nothing in it, of no type that a message has. */
  nothing: ({ response }) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(),
  /** Accepted, but a request deserves an answer. */
  accepted: ({ response }) => void response.writeHead(202).end(),
  'wrong-id': (exchange) => json(exchange, '{"jsonrpc":"2.0","id":"nobody-asked","result":{}}'),
  'wrong-id-stream': (exchange) =>
    void stream(exchange).end(event('{"jsonrpc":"2.0","id":"nobody-asked","result":{}}')),
  'two-answers': (exchange) =>
    void stream(exchange).end(
      event(answer(exchange, '{"content":[],"which":1}')) + event(answer(exchange, '{"which":2}')),
    ),
  batch: (exchange) => json(exchange, `[${numbered(1, '')},${answer(exchange)}]`),
  'not-jsonrpc': (exchange) => json(exchange, '{"hello":"there"}'),
  'error-answer': (exchange) =>
    json(
      exchange,
      `{"jsonrpc":"2.0","id":${idText(exchange)},"error":{"code":-32602,"message":"no","data":{"z":1,"a":2}}}`,
    ),
  /** A message that cannot be made a text. */
  'error-object': (exchange) =>
    json(
      exchange,
      `{"jsonrpc":"2.0","id":${idText(exchange)},"error":{"code":1,"message":{"toString":1,"valueOf":1}}}`,
    ),
  /** An error that JSON-RPC would carry, under an HTTP status. */
  'error-400': (exchange) =>
    json(exchange, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: no"}}`, 400),
  status: ({ response, query }) =>
    void response
      .writeHead(Number(query.get('status') ?? 500), { 'content-type': 'text/plain' })
      .end('status'),
  redirect: ({ response, query }) =>
    void response
      .writeHead(Number(query.get('status') ?? 307), { location: query.get('to') ?? '/mcp/well' })
      .end(),
  reset: ({ response }) => void response.socket?.resetAndDestroy(),
  'reset-json': (exchange) => breakOff(exchange, JSON_TYPE, answer(exchange)),
  'reset-stream': (exchange) => breakOff(exchange, STREAM_TYPE, event(answer(exchange))),
  'reset-html': (exchange) => breakOff(exchange, { 'content-type': 'text/html' }, '<h1>Hello</h1>'),
  'badly-coded-html': ({ response }) =>
    void response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' }).end('<h1>'),
  /** Whole events, the last of them a notification, then the stream ends without the answer. */
  'cut-stream': (exchange) => void stream(exchange).end(event(numbered(1, ''))),
  /** Ends within an event: what came of it is no message. */
  'truncated-event': (exchange) => void stream(exchange).end(event(answer(exchange)).slice(0, -1)),
  silent: () => undefined,
  'silent-stream': (exchange) => stream(exchange).flushHeaders(),
  endless,
  'one-byte': (exchange) => {
    const body = Buffer.from(event(answer(exchange, ODD_RESULT)).replaceAll('\n', '\r\n'));
    const response = stream(exchange);
    return writeSlowly(response, body, 1).then(() => void response.end());
  },
  'one-byte-json': (exchange) => {
    exchange.response.writeHead(200, JSON_TYPE);
    const body = Buffer.from(answer(exchange, ODD_RESULT));
    return writeSlowly(exchange.response, body, 1).then(() => void exchange.response.end());
  },
  huge: (exchange) => json(exchange, answer(exchange, hugeResult(exchange))),
  'huge-stream': (exchange) => void stream(exchange).end(event(answer(exchange, hugeResult(exchange)))),
  /** Brackets, deep enough to overflow a recursive writer. */
  deep: (exchange) => {
    const depth = Number(exchange.query.get('depth') ?? 200_000);
    json(exchange, answer(exchange, '['.repeat(depth) + ']'.repeat(depth)));
  },
  notifications: (exchange) => {
    const count = Number(exchange.query.get('count') ?? 10);
    const events = Array.from({ length: count }, (_, sequence) => event(numbered(sequence, '')));
    stream(exchange).end(events.join('') + event(answer(exchange)));
  },
};

function hugeResult({ query }: Exchange): string {
  return `{"content":[{"type":"text","text":"${'x'.repeat(Number(query.get('bytes') ?? 10_000_000))}"}]}`;
}
