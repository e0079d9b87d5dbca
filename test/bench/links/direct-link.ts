import { createParser } from 'eventsource-parser';
import { Agent } from 'undici';
import { answeredId, TOKEN } from '../messages.ts';
import type { Link } from './link.ts';

/** The same work without a bridge: undici with keep-alive, and the parser that the official SDK uses for event streams. */
export class DirectLink implements Link {
  readonly pid = undefined;
  notifications = 0;
  readonly #url: URL;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  async call(id: number, request: string | Buffer): Promise<number> {
    const { headers, body } = await this.#post(request);
    if (headers['content-type'] === 'application/json') {
      const answer = Buffer.from(await body.arrayBuffer());
      if (answeredId(answer) !== id) throw new Error(`${id} was not answered`);
      return answer.length;
    }
    return this.#readEvents(id, body);
  }

  async notify(message: string): Promise<void> {
    const { body } = await this.#post(message);
    await body.dump();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }

  #post(body: string | Buffer) {
    return this.#agent.request({
      origin: this.#url.origin,
      path: this.#url.pathname,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${TOKEN}`,
      },
      body,
    });
  }

  async #readEvents(id: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    let bytes: number | undefined;
    const parser = createParser({
      onEvent: ({ data }) => {
        const message = Buffer.from(data);
        if (answeredId(message) === id) bytes = message.length;
        else this.notifications++;
      },
    });
    const decoder = new TextDecoder();
    for await (const chunk of body) parser.feed(decoder.decode(chunk, { stream: true }));
    if (bytes === undefined) throw new Error(`${id} was not answered`);
    return bytes;
  }
}
