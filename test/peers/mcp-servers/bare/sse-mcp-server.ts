import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Journal } from '../../net/journal.ts';
import { type Listening, listen, readBody } from '../../net/listening.ts';
import { ODD_RESULT } from './raw-behaviours.ts';

export interface SseMcpServerOptions {
  /** What the `endpoint` event says; `{id}` stands for the session. */
  readonly endpoint?: string;
  /** Ends the stream right after it was opened, without any event. */
  readonly silent?: boolean;
  /** What a POST to the address of the stream gets. */
  readonly postStatus?: number;
  readonly postBody?: string;
  /** Where a GET of `/moved` is sent to. */
  readonly movedTo?: string;
  /** What a GET gets in place of a stream. */
  readonly getStatus?: number;
  /** Which requests need the token; all others are served without. */
  readonly protectedMethods?: readonly ('GET' | 'POST')[];
  /** Milliseconds, told with `retry`. */
  readonly retryMs?: number;
  /** Written as it is in front of each answer. */
  readonly beforeAnswers?: string;
}

export interface SseRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever a host may send.
  readonly rpc: any;
}

/** A bare HTTP+SSE server (2024-11-05) in the hands of a test. */
export class SseMcpServer implements AsyncDisposable {
  readonly requests = new Journal<SseRequest>();
  readonly #options: SseMcpServerOptions;
  readonly #streams = new Map<string, ServerResponse>();
  #listening: Listening | undefined;
  /** Requests of these methods are accepted and not answered. */
  readonly silentOn = new Set<string>();
  /** What `protectedMethods` asks for; a test may change it while the server runs. */
  token = 'good';
  streamsOpened = 0;
  /** By `flood`: stands still while the reader does. */
  bytesSent = 0;

  constructor(options: SseMcpServerOptions) {
    this.#options = options;
  }

  get origin(): string {
    return this.#listening?.origin as string;
  }

  get url(): string {
    return `${this.origin}/sse`;
  }

  get streamsOpen(): number {
    return this.#streams.size;
  }

  methods(): string[] {
    return this.requests.entries.filter(({ method }) => method === 'POST').map(({ rpc }) => rpc?.method);
  }

  /** Writes to every stream as it is. */
  push(text: string | Uint8Array): void {
    for (const stream of this.#streams.values()) stream.write(text);
  }

  say(message: object): void {
    this.push(event(JSON.stringify(message)));
  }

  /** Numbered notifications, as fast as the reader takes them. */
  async flood(count: number, bytes: number): Promise<void> {
    const [stream] = this.#streams.values();
    const padding = 'x'.repeat(bytes);
    for (let sequence = 1; sequence <= count; sequence++) {
      const params = { sequence, padding };
      const text = event(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params }));
      this.bytesSent += text.length;
      if (stream?.write(text) === false) await once(stream, 'drain');
    }
  }

  endStreams(): void {
    for (const stream of this.#streams.values()) stream.end();
  }

  async start(port = 0): Promise<this> {
    this.#listening = await listen((request, response) => void this.#serve(request, response), port);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.close();
  }

  /** Connections break, sessions are lost, the port refuses until `start`. */
  async stop(): Promise<number> {
    const { port } = this.#listening as Listening;
    await this.#listening?.close();
    this.#streams.clear();
    return port;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request)).toString('utf8');
    const { method = '', url = '', headers } = request;
    const rpc = body.startsWith('{') ? JSON.parse(body) : undefined;
    this.requests.add({ method, url, headers, body, rpc });
    const isProtected = this.#options.protectedMethods?.some((each) => each === method) === true;
    if (isProtected && headers.authorization !== `Bearer ${this.token}`) {
      return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('who are you?');
    }
    const { movedTo } = this.#options;
    if (method === 'GET' && url === '/moved' && movedTo !== undefined) {
      return void response.writeHead(307, { location: movedTo }).end();
    }
    if (method === 'GET') return this.#open(response);
    const id = new URL(url, this.origin).searchParams.get('session') ?? '';
    if (url.startsWith('/sse')) {
      return void response
        .writeHead(this.#options.postStatus ?? 405)
        .end(this.#options.postBody ?? 'no POST');
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return void response.writeHead(404).end('no such session');
    if (rpc?.method?.startsWith('answer-first')) {
      stream.write(event(answerTo(rpc)));
      await new Promise((resolve) => setTimeout(resolve, 100));
      return void response.writeHead(202).end('Accepted');
    }
    response.writeHead(202).end('Accepted');
    if (rpc?.id === undefined || rpc.method === undefined || this.silentOn.has(rpc.method)) return;
    stream.write(`${this.#options.beforeAnswers ?? ''}${event(answerTo(rpc))}`);
  }

  #open(response: ServerResponse): void {
    const { getStatus, silent, endpoint = '/message?session={id}', retryMs } = this.#options;
    if (getStatus !== undefined) return void response.writeHead(getStatus).end('no GET');
    const id = randomUUID();
    this.streamsOpened++;
    this.#streams.set(id, response);
    response.once('close', () => this.#streams.delete(id));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (silent) return void response.end();
    if (retryMs !== undefined) response.write(`retry: ${retryMs}\n\n`);
    response.write(`event: endpoint\ndata: ${endpoint.replace('{id}', id)}\n\n`);
  }
}

function event(data: string): string {
  return `event: message\ndata: ${data}\n\n`;
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
function answerTo({ id, method, params }: any): string {
  if (method === 'odd') return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${ODD_RESULT}}`;
  const result =
    method === 'initialize'
      ? {
          protocolVersion: '2024-11-05',
          capabilities: { tools: { listChanged: true }, logging: {} },
          serverInfo: { name: 'sse', version: '0' },
        }
      : { method, params };
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

export function startSseMcpServer(options: SseMcpServerOptions = {}): Promise<SseMcpServer> {
  return new SseMcpServer(options).start();
}
