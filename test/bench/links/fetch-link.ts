import { EventSourceParserStream } from 'eventsource-parser/stream';
import { Agent, fetch } from 'undici';
import { answeredId, TOKEN } from '../messages.ts';
import type { Link } from './link.ts';

/** The same work without a bridge, the way the official SDK's client does it: undici's `fetch` with keep-alive, streams for events. */
export class FetchLink implements Link {
  readonly pid = undefined;
  notifications = 0;
  readonly #url: string;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(url: string) {
    this.#url = url;
  }

  async call(id: number, request: string | Buffer): Promise<number> {
    const response = await this.#post(request);
    if (response.headers.get('content-type') === 'application/json') {
      const answer = Buffer.from(await response.arrayBuffer());
      if (answeredId(answer) !== id) throw new Error(`${id} was not answered`);
      return answer.length;
    }
    if (response.body === null) throw new Error(`${id} was not answered`);
    let bytes: number | undefined;
    const events = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>)
      .pipeThrough(new EventSourceParserStream());
    for await (const { data } of events) {
      const message = Buffer.from(data);
      if (answeredId(message) === id) bytes = message.length;
      else this.notifications++;
    }
    if (bytes === undefined) throw new Error(`${id} was not answered`);
    return bytes;
  }

  async notify(message: string): Promise<void> {
    await (await this.#post(message)).arrayBuffer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }

  #post(body: string | Buffer) {
    return fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${TOKEN}`,
      },
      body,
      dispatcher: this.#agent,
    });
  }
}
