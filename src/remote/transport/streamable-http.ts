import { decodedBody, mediaType, readWhole } from '../../platform/content/content.ts';
import { readEvents } from '../events/event-stream.ts';
import { BadAnswerError, contentErrors } from '../http/errors.ts';
import { McpOrigin, type McpOriginOptions, type Message } from '../http/mcp-origin.ts';
import type { MessageOptions } from '../http/message-options.ts';
import { excerpt } from '../http/refusal.ts';
import { readRefusal, startOfBody, unbrokenStart } from '../http/refusal-body.ts';
import type { ListenOptions, Reply, Transport } from './transport.ts';

export type StreamableHttpOptions = McpOriginOptions;

/** HTML §9.2.3: the header's bytes are the id in UTF-8; a header takes bytes as Latin-1. */
function inUtf8(id: string): string {
  return Buffer.from(id, 'utf8').toString('latin1');
}

const POST_HEADERS = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

/** Streamable HTTP, 2025-03-26 … 2025-11-25: one message to the server and what it answers. No state but the address it moved to. */
export class StreamableHttp implements Transport {
  readonly #origin: McpOrigin;
  readonly #maxMessageBytes: number;
  #url: URL;

  constructor(options: StreamableHttpOptions) {
    this.#origin = new McpOrigin(options);
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#url = options.url;
  }

  post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    return this.#exchange('POST', options, { headers: POST_HEADERS, body });
  }

  listen(options: ListenOptions): Promise<Reply> {
    const resume: Record<string, string> =
      options.lastEventId === undefined ? {} : { 'last-event-id': inUtf8(options.lastEventId) };
    return this.#exchange('GET', options, { headers: { accept: 'text/event-stream', ...resume } });
  }

  async end(options: MessageOptions): Promise<number> {
    const response = await this.#origin.send('DELETE', this.#url, options, { headers: {} });
    response.discard();
    return response.status;
  }

  dropIdleConnections(): void {
    this.#origin.dropIdleConnections();
  }

  async #exchange(method: 'GET' | 'POST', options: MessageOptions, message: Message): Promise<Reply> {
    const { response, url } = await this.#origin.exchange(method, this.#url, options, message);
    this.#url = url;
    const sessionId = response.headers['mcp-session-id'];
    const type = mediaType(response.headers['content-type']);
    const maxMessageBytes = this.#maxMessageBytes;
    if (response.status === 202 || response.status === 204) {
      // Read to its end, so that the connection serves the next message too.
      await startOfBody(response);
      return { kind: 'accepted', sessionId, promisesResponse: true };
    }
    if (response.status !== 200) return { kind: 'refused', refusal: await readRefusal(response) };
    if (type === 'text/event-stream') {
      let retry: number | undefined;
      const onRetry = (ms: number) => {
        retry = ms;
      };
      const events = readEvents(await decodedBody(response, contentErrors), {
        maxMessageBytes,
        onRetry,
        messagesOnly: true,
      });
      return { kind: 'events', events, sessionId, retryMs: () => retry };
    }
    if (type === 'application/json' && method === 'POST') {
      const hostIsReady = options.beforeBody?.();
      if (hostIsReady !== undefined) await hostIsReady;
      const coded = decodedBody(response, contentErrors);
      const body = coded instanceof Promise ? await coded : coded;
      const json = readWhole(response, body, maxMessageBytes, contentErrors);
      return { kind: 'message', json: json instanceof Promise ? await json : json, sessionId };
    }
    const start = await unbrokenStart(response);
    // A server may say 200 to a notification with nothing in it, instead of 202. A body that broke off is not nothing.
    if (start?.length === 0 && method === 'POST') {
      return { kind: 'accepted', sessionId, promisesResponse: false };
    }
    const words = start === undefined ? 'its body broke off' : excerpt(start);
    throw new BadAnswerError(
      `the server answered with status 200 and content type ${excerpt(type) || 'none'}, where JSON or an event stream was expected: ${words}`,
      { hint: 'Check that the address is that of the MCP endpoint itself.' },
    );
  }
}
