import type { IncomingMessage, ServerResponse } from 'node:http';
import { Journal } from '../../net/journal.ts';
import { type Listening, listen, readBody } from '../../net/listening.ts';

export interface ResumableOptions {
  /** Events after which each connection is closed. */
  readonly perConnection?: number;
  /** Told with `retry` on each connection, in milliseconds. */
  readonly retryMs?: number;
  /** The first connection of the call with this id is cut after so many bytes. */
  readonly cutAt?: (id: number) => number | undefined;
  /** A cut is a reset; otherwise the stream just ends. */
  readonly reset?: boolean;
  readonly lineEnd?: '\n' | '\r\n' | '\r';
}

export interface Resumption {
  readonly at: number;
  readonly lastEventId: string;
}

/**
 * A bare MCP server whose streams can be taken up again (specification 2025-11-25, Resumability and Redelivery). A call with
 * `{count}` gets a primer, so many numbered notifications and its answer; each has an id, none is sent twice on its own account.
 */
export class ResumableServer implements AsyncDisposable {
  readonly resumptions = new Journal<Resumption>();
  readonly calls = new Journal<{ readonly id: number }>();
  readonly #options: ResumableOptions;
  readonly #streams = new Map<string, readonly string[]>();
  #listening: Listening | undefined;
  /** Notifications of the server's own stream. */
  ownCount = 0;

  constructor(options: ResumableOptions) {
    this.#options = options;
  }

  get url(): string {
    return `${this.#listening?.origin}/mcp`;
  }

  async start(): Promise<this> {
    this.#listening = await listen((request, response) => void this.#serve(request, response));
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request)).toString('utf8');
    if (request.method === 'DELETE') return void response.writeHead(200).end();
    if (request.method === 'GET') return this.#resume(request, response);
    const { id, method, params } = JSON.parse(body);
    if (method === 'initialize') {
      const result = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        serverInfo: { name: 'r', version: '0' },
      };
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's' });
      return void response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    }
    if (id === undefined) return void response.writeHead(202).end();
    this.calls.add({ id });
    const texts = Array.from({ length: params.count }, (_, n) => notification(`call-${id}`, n + 1));
    this.#streams.set(`call-${id}`, [
      '',
      ...texts,
      JSON.stringify({ jsonrpc: '2.0', id, result: { done: id } }),
    ]);
    await this.#write(response, `call-${id}`, 0, this.#options.cutAt?.(id));
  }

  async #resume(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const lastEventId = request.headers['last-event-id'];
    if (typeof lastEventId !== 'string') {
      if (this.ownCount === 0) return void response.writeHead(405).end();
      const texts = Array.from({ length: this.ownCount }, (_, n) => notification('own', n + 1));
      this.#streams.set('own', ['', ...texts]);
      return this.#write(response, 'own', 0, undefined);
    }
    this.resumptions.add({ at: performance.now(), lastEventId });
    const [stream = '', position] = lastEventId.split(':');
    await this.#write(response, stream, Number(position) + 1, undefined);
  }

  async #write(
    response: ServerResponse,
    stream: string,
    from: number,
    cutAt: number | undefined,
  ): Promise<void> {
    const { perConnection = Number.POSITIVE_INFINITY, retryMs, reset, lineEnd = '\n' } = this.#options;
    const events = this.#streams.get(stream) ?? [];
    const lines = events
      .slice(from, from + perConnection)
      .map((data, at) => `id: ${stream}:${from + at}\ndata: ${data}\n\n`)
      .join('');
    const text = (retryMs === undefined ? '' : `retry: ${retryMs}\n\n`) + lines;
    const bytes = Buffer.from(text.replaceAll('\n', lineEnd));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (cutAt === undefined) {
      // What is at its end stays open, as a server with nothing more to say does.
      if (stream === 'own' && from + perConnection >= events.length) return void response.write(bytes);
      return void response.end(bytes);
    }
    response.flushHeaders();
    await new Promise((resolve) => response.write(bytes.subarray(0, cutAt), resolve));
    if (reset === true) response.socket?.resetAndDestroy();
    else response.end();
  }
}

function notification(stream: string, sequence: number): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    method: 'notifications/message',
    params: { level: 'info', data: { stream, sequence, text: 'é😀' } },
  });
}

export function startResumableServer(options: ResumableOptions = {}): Promise<ResumableServer> {
  return new ResumableServer(options).start();
}
