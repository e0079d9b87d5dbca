import type { IncomingMessage, ServerResponse } from 'node:http';
import { Journal } from '../../peers/net/journal.ts';
import { type Listening, listen, readBody } from '../../peers/net/listening.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { gemini } from './gemini.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import type { Asked, Turn, Wire } from './wire.ts';

/** A request that offered tools, and what the model answered. */
export interface Exchange {
  readonly at: number;
  readonly asked: Asked;
  readonly turn: Turn;
}

export type Decide = (asked: Asked) => Promise<Turn>;

/** The end of a path → the protocol that is spoken there. */
const WIRES: readonly (readonly [path: RegExp, wire: Wire])[] = [
  [/\/v1\/messages$/, anthropicMessages],
  [/\/chat\/completions$/, openaiChat],
  [/\/responses$/, openaiResponses],
  [/:(streamGenerateContent|generateContent)$/, gemini],
];

/** A model on loopback for one run of a host: it speaks four protocols, and `decide` thinks for it. */
export class ModelServer implements AsyncDisposable {
  readonly exchanges = new Journal<Exchange>();
  /** Paths that were asked for and are none of a model's. */
  readonly unknown: string[] = [];
  readonly #decide: Decide;
  #listening: Listening | undefined;

  constructor(decide: Decide) {
    this.#decide = decide;
  }

  async start(): Promise<this> {
    this.#listening = await listen((request, response) => {
      // A host that was ended in the middle of a request.
      this.#serve(request, response).catch(() => response.destroy());
    });
    return this;
  }

  get origin(): string {
    if (this.#listening === undefined) throw new Error('the model was not started');
    return this.#listening.origin;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] as string;
    const body = (await readBody(request)).toString('utf8');
    const wire = WIRES.find(([ends]) => ends.test(path))?.[1];
    if (wire === undefined || request.method !== 'POST') return this.#other(request, path, response);
    const asked = wire.read(JSON.parse(body), path);
    const model = /"model"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? 'stand-in';
    const turn = await this.#turn(asked);
    if (!asked.stream) return sendJson(response, wire.whole(turn, model));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    for (const { name, data } of wire.stream(turn, model)) {
      if (name !== undefined) response.write(`event: ${name}\n`);
      response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    }
    response.end();
  }

  /** Hosts also ask for titles and summaries: without tools there is nothing to decide. */
  async #turn(asked: Asked): Promise<Turn> {
    if (asked.tools.length === 0) return { kind: 'words', words: 'ok' };
    const turn = await this.#decide(asked);
    this.exchanges.add({ at: Date.now(), asked, turn });
    return turn;
  }

  #other(request: IncomingMessage, path: string, response: ServerResponse): void {
    if (path.endsWith('/count_tokens')) return sendJson(response, { input_tokens: 10 });
    if (path.endsWith(':countTokens')) return sendJson(response, { totalTokens: 10 });
    if (path.endsWith('/models'))
      return sendJson(response, { object: 'list', data: [{ id: 'stand-in', object: 'model' }] });
    this.unknown.push(`${request.method} ${path}`);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"not here"}}');
  }
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
