import type { IncomingMessage, ServerResponse } from 'node:http';
import { Journal } from './journal.ts';
import { type Listening, listen, readBody } from './listening.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent.
export type WireRpc = any;

/** What goes back: a result of a JSON-RPC request with headers, or the bytes of a whole answer, a header's faults included. */
export type WireAnswer =
  | { readonly headers?: Readonly<Record<string, string>>; readonly result: unknown }
  | { readonly bytes: string }
  | { readonly status: number };

/** A server that sees what really came over its sockets, where a parser would have taken it apart already. */
export class WireServer implements AsyncDisposable {
  /** JSON-RPC messages that came, in order. */
  readonly messages = new Journal<WireRpc>();
  readonly #chunks: Buffer[] = [];
  readonly #listening: Listening;

  private constructor(listening: Listening) {
    this.#listening = listening;
  }

  static async start(answer: (rpc: WireRpc, request: IncomingMessage) => WireAnswer): Promise<WireServer> {
    const listening = await listen((request, response) => void serve(request, response));
    const server = new WireServer(listening);
    listening.server.on('connection', (socket) => {
      socket.on('data', (chunk: Buffer) => server.#chunks.push(chunk));
    });
    const serve = async (request: IncomingMessage, response: ServerResponse) => {
      const body = (await readBody(request)).toString('utf8');
      const rpc: WireRpc = body === '' ? {} : JSON.parse(body);
      server.messages.add(rpc);
      const given = answer(rpc, request);
      if ('bytes' in given) return void request.socket.end(given.bytes, 'latin1');
      if ('status' in given) return void response.writeHead(given.status).end();
      response.writeHead(200, { 'content-type': 'application/json', ...given.headers });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: given.result }));
    };
    return server;
  }

  get url(): string {
    return `${this.#listening.origin}/mcp`;
  }

  /** All that was received, byte by byte. */
  get wire(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  /** The head of each request, its line ends included. */
  get heads(): string[] {
    const requests = this.wire.split(/(?=(?:GET|POST|DELETE) \/mcp HTTP\/1\.1\r\n)/);
    return requests.map((request) => request.split('\r\n\r\n', 1)[0] ?? '');
  }

  /** The values of this header in each request's head, as they stood on the wire; one list for each request that has it. */
  header(name: string): string[][] {
    return this.heads
      .map((head) =>
        [...head.matchAll(new RegExp(`^${name}: (.*)\\r?$`, 'gim'))].map(([, value]) => value ?? ''),
      )
      .filter((values) => values.length > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening.close();
  }
}

/** What each message of a host of 2026 carries. */
export const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
export const initializeResult = (protocolVersion: string) => ({
  protocolVersion,
  capabilities: { tools: {} },
  serverInfo: { name: 'wire', version: '1' },
});
export const discovery = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  ttlMs: 0,
  cacheScope: 'private',
  capabilities: { tools: {} },
};
