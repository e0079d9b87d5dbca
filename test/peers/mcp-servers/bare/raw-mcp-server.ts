import type { IncomingMessage, ServerResponse } from 'node:http';
import { applyFault, type Fault, FaultPlan, type SeenRequest, seenRequest } from '../../faults/faults.ts';
import { Journal } from '../../net/journal.ts';
import { type Listening, listen, readBody } from '../../net/listening.ts';
import { type Behaviour, type Exchange, rawBehaviours } from './raw-behaviours.ts';

export interface RawMcpServerOptions {
  /** The session id that initialize is answered with; none by default. */
  readonly session?: string | undefined;
  /** What a GET gets: 405, or an event stream that `push` writes to. */
  readonly stream?: boolean;
  readonly protocolVersion?: string;
}

/** One POST or GET as it came, with the bytes of its body. */
export interface RawRequest extends SeenRequest {
  readonly bytes: Buffer;
  /** What the body says, where it is one JSON-RPC message. */
  readonly rpc: { readonly id?: string | number; readonly method?: string; readonly params?: unknown };
}

/**
 * A bare `node:http` MCP server for what the SDK will not do. The last part of the path names the misbehaviour: `/mcp/html`
 * initializes well and then answers every request with HTML; `/first/html` does so from the first message on.
 */
export class RawMcpServer implements AsyncDisposable {
  readonly requests = new Journal<RawRequest>();
  /** Behaviours by name; a test may add its own. */
  readonly behaviours: Record<string, Behaviour> = { ...rawBehaviours };
  /** Bytes that `endless` has handed to the kernel or queued: stands still while the reader does. */
  bytesSent = 0;
  /** Set by a test to let `endless` come to its answer. */
  enough = false;
  readonly #options: RawMcpServerOptions;
  readonly #plan = new FaultPlan();
  readonly #streams = new Set<ServerResponse>();
  #listening: Listening | undefined;
  #port = 0;

  constructor(options: RawMcpServerOptions) {
    this.#options = options;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The URL at which the server behaves so; `well` is the control. */
  address(behaviour = 'well', since: 'initialized' | 'first' = 'initialized'): string {
    return `${this.origin}/${since === 'first' ? 'first' : 'mcp'}/${behaviour}`;
  }

  methodCount(method: string): number {
    return this.requests.count((request) => request.rpc.method === method);
  }

  get streamsOpen(): number {
    return this.#streams.size;
  }

  /** Writes text as it is to every open GET stream. */
  push(text: string): void {
    for (const stream of this.#streams) stream.write(text);
  }

  /** Ends every open GET stream. */
  endStreams(): void {
    for (const stream of this.#streams) stream.end();
  }

  fail(
    fault: Fault,
    matches: (request: SeenRequest) => boolean = ({ method }) => method === 'POST',
    times?: number,
  ): void {
    this.#plan.add(fault, matches, times);
  }

  heal(): void {
    this.#plan.clear();
  }

  async start(): Promise<this> {
    this.#listening = await listen((request, response) => void this.#serve(request, response), this.#port);
    this.#port = this.#listening.port;
    return this;
  }

  async close(): Promise<void> {
    await this.#listening?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await readBody(request);
    const seen: RawRequest = { ...seenRequest(request, bytes), bytes, rpc: readRpc(bytes) };
    this.requests.add(seen);
    const fault = this.#plan.take(seen);
    if (fault !== undefined && !(await applyFault(fault, request, response))) return;
    if (request.method === 'GET') return this.#openStream(response);
    if (request.method === 'DELETE') {
      response.writeHead(200).end();
      return;
    }
    const [, since, name = 'well'] = seen.path.split('/');
    const behave = this.behaviours[name];
    if (behave === undefined) {
      response.writeHead(500).end(`no behaviour ${name}`);
      return;
    }
    const exchange: Exchange = { request: seen, response, server: this, query: queryOf(seen.url) };
    if (since !== 'first') {
      if (seen.rpc.method === 'initialize') return this.#initialize(exchange);
      if (seen.rpc.id === undefined || seen.rpc.method === undefined) {
        response.writeHead(202).end();
        return;
      }
    }
    await behave(exchange);
  }

  #initialize({ request, response }: Exchange): void {
    const { session, protocolVersion = '2025-11-25' } = this.#options;
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
    });
    const result = {
      protocolVersion,
      capabilities: { tools: {}, logging: {} },
      serverInfo: { name: 'raw', version: '0' },
    };
    response.end(JSON.stringify({ jsonrpc: '2.0', id: request.rpc.id, result }));
  }

  #openStream(response: ServerResponse): void {
    if (!this.#options.stream) {
      response.writeHead(405, { allow: 'POST, DELETE' }).end();
      return;
    }
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  }
}

function readRpc(bytes: Buffer): RawRequest['rpc'] {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function queryOf(url: string): URLSearchParams {
  return new URL(url, 'http://localhost').searchParams;
}

export function startRawMcpServer(options: RawMcpServerOptions = {}): Promise<RawMcpServer> {
  return new RawMcpServer(options).start();
}
