import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Journal } from '../../net/journal.ts';
import { type Listening, listen, readBody } from '../../net/listening.ts';

/** Transport and era of a server. */
export const SERVER_KINDS = ['sse', 'legacy-json', 'legacy-stream', 'modern-json', 'modern-stream'] as const;
export type ServerKind = (typeof SERVER_KINDS)[number];

/** One message as it came, its id as text. */
export interface TextMessage {
  readonly text: string;
  readonly id: string | undefined;
  readonly method: string | undefined;
}

/** What a request gets: the texts of messages, in order; undefined: nothing, for now. */
export type Answer = (request: TextMessage & { readonly id: string }) => readonly string[] | undefined;

/**
 * A server of each kind that never makes a value of what it reads or writes: ids stay the text that they are, and answers are whatever text the
 * test wants.
 */
export class TextMcpServer implements AsyncDisposable {
  readonly messages = new Journal<TextMessage>();
  /** Methods of requests whose response was dropped by the client. */
  readonly dropped = new Journal<string | undefined>();
  readonly kind: ServerKind;
  /** A test answers in the server's place; what it leaves undefined is answered well. */
  answer: Answer = () => undefined;
  /** Requests of this method are kept until so many wait, then answered, the last first. */
  held: { readonly method: string; readonly count: number } | undefined;
  #waiting: (() => void)[] = [];
  #streams: ServerResponse[] = [];
  #listening: Listening | undefined;

  constructor(kind: ServerKind) {
    this.kind = kind;
  }

  static async start(kind: ServerKind): Promise<TextMcpServer> {
    const server = new TextMcpServer(kind);
    server.#listening = await listen((request, response) => void server.#serve(request, response));
    return server;
  }

  get url(): string {
    return `${this.#listening?.origin}/mcp`;
  }

  get isModern(): boolean {
    return this.kind.startsWith('modern');
  }

  /** Says something on its own stream. */
  push(text: string): void {
    for (const stream of this.#streams) stream.write(event(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = (await readBody(request)).toString('utf8');
    if (request.method === 'GET') return this.#openStream(response);
    if (request.method === 'DELETE') return void response.writeHead(200).end();
    if (this.kind === 'sse' && request.url === '/mcp') return void response.writeHead(405).end();
    const [head = '', id] = /^\{"jsonrpc":"2\.0",(?:"id":("(?:[^"\\]|\\.)*"|[^,}]+),)?/.exec(text) ?? [];
    const [, method] = /^"method":"([^"]*)"/.exec(text.slice(head.length)) ?? [];
    const message = { text, id, method };
    if (id === undefined || method === undefined) {
      response.writeHead(202).end();
      this.messages.add(message);
      return;
    }
    response.once('close', () => {
      if (!response.writableFinished) this.dropped.add(method);
    });
    const give = () => this.#give(response, { ...message, id });
    if (this.held?.method !== method) give();
    else {
      this.#waiting.push(give);
      if (this.#waiting.length >= this.held.count) {
        for (const waiting of this.#waiting.splice(0).reverse()) waiting();
      }
    }
    this.messages.add(message);
  }

  #give(response: ServerResponse, request: TextMessage & { readonly id: string }): void {
    const own = this.answer(request);
    const texts = own ?? [wellAnswered(request, this.isModern)];
    if (this.kind === 'sse') {
      response.writeHead(202).end();
      for (const text of texts) this.push(text);
    } else if (this.isModern && texts[0]?.includes('"code":-3202') === true) {
      response.writeHead(400, { 'content-type': 'application/json' }).end(texts.join(''));
    } else if (this.kind.endsWith('json')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(texts.join(''));
    } else {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(texts.map(event).join(''));
    }
  }

  #openStream(response: ServerResponse): void {
    if (this.isModern) return void response.writeHead(405).end();
    this.#streams.push(response);
    response.once('close', () => {
      this.#streams = this.#streams.filter((stream) => stream !== response);
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (this.kind === 'sse') response.write(`event: endpoint\ndata: /message?session=${randomUUID()}\n\n`);
  }
}

function event(text: string): string {
  return text.startsWith('event:') ? text : `data: ${text.replaceAll('\n', '\ndata: ')}\n\n`;
}

/** The result of a call says under which id the server knows it. */
export function wellAnswered(
  { id, method }: { readonly id: string; readonly method: string | undefined },
  isModern: boolean,
): string {
  const modern = '"resultType":"complete","ttlMs":0,"cacheScope":"private"';
  const result = (members: string) =>
    `{"jsonrpc":"2.0","id":${id},"result":{${members}${isModern ? `,${modern}` : ''}}}`;
  const error = (code: number) => `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"no"}}`;
  const server = '"capabilities":{"tools":{"listChanged":true},"logging":{}}';
  switch (method) {
    case 'initialize':
      if (isModern) return error(-32022);
      return result(`"protocolVersion":"2025-11-25",${server},"serverInfo":{"name":"text","version":"1"}`);
    case 'server/discover':
      return isModern ? result(`"supportedVersions":["2026-07-28"],${server}`) : error(-32601);
    case 'tools/list':
      return result('"tools":[{"name":"id","inputSchema":{"type":"object"}}]');
    default:
      return result(`"content":[{"type":"text","text":${JSON.stringify(id)}}]`);
  }
}
