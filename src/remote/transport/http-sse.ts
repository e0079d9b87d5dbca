import { randomUUID } from 'node:crypto';
import { decodedBody, mediaType } from '../../platform/content/content.ts';
import { anySignal } from '../../platform/stop.ts';
import { parseMessage, textOf } from '../../protocol/jsonrpc.ts';
import { keepSecret } from '../../redaction/secrets.ts';
import { readEvents, type ServerEvent } from '../events/event-stream.ts';
import { BadAnswerError, contentErrors } from '../http/errors.ts';
import { ENDPOINT_EVENT_MS, HEADERS_MS } from '../http/limits.ts';
import { McpOrigin, type McpOriginOptions, withinOrigin } from '../http/mcp-origin.ts';
import type { MessageOptions } from '../http/message-options.ts';
import { excerpt, type Refusal } from '../http/refusal.ts';
import { readRefusal, startOfBody } from '../http/refusal-body.ts';
import { SseSession } from './sse-session.ts';
import type { DropConnectionsOptions, Reply, Transport } from './transport.ts';

/**
 * HTTP+SSE, 2024-11-05: one event stream down, POSTs up. It behaves as Streamable HTTP does: the first message opens the session, each
 * request gets the events that answer it, `listen` gets the rest, and a session whose stream is over is answered with 404.
 */
export class HttpSse implements Transport {
  readonly #origin: McpOrigin;
  readonly #options: McpOriginOptions;
  #session: SseSession | undefined;

  constructor(options: McpOriginOptions) {
    this.#origin = new McpOrigin(options);
    this.#options = options;
  }

  async post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    if (options.session.sessionId === undefined) return this.#open(body, options);
    const session = this.#live(options);
    if (session === undefined) return gone();
    const message = parseMessage(body);
    if (message.kind !== 'request') return (await this.#send(session, body, options)) ?? accepted(session);
    const channel = session.expect(message.id, options.signal);
    const events = channel.read();
    try {
      // Whichever is first: a response may overtake the status of its own request.
      const refused = await firstOf(this.#send(session, body, options), channel.arrived);
      if (refused !== undefined) {
        session.forget(message.id);
        return refused;
      }
    } catch (error) {
      session.forget(message.id);
      throw error;
    }
    return { kind: 'events', events, sessionId: session.id, retryMs: session.retryMs };
  }

  async listen(options: MessageOptions): Promise<Reply> {
    const session = this.#live(options);
    if (session === undefined) return gone();
    const events = session.unclaimed.read();
    return { kind: 'events', events, sessionId: session.id, retryMs: session.retryMs };
  }

  async end(options: MessageOptions): Promise<number> {
    this.#live(options)?.close();
    return 204;
  }

  /** A response could only come over the old stream, so that is closed, and its session with it. */
  dropIdleConnections({ keepsInUse = false }: DropConnectionsOptions = {}): void {
    if (!keepsInUse || this.#session?.inUse === false) this.#session?.close();
    this.#origin.dropIdleConnections();
  }

  #live({ session: { sessionId } }: MessageOptions): SseSession | undefined {
    const session = this.#session;
    return session !== undefined && !session.over && session.id === sessionId ? session : undefined;
  }

  async #open(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    this.#session?.close();
    const opened = await this.#connect(options);
    if (!(opened instanceof SseSession)) return opened;
    this.#session = opened;
    const events = opened.unclaimed.read();
    try {
      const refused = await firstOf(this.#send(opened, body, options), opened.unclaimed.arrived);
      if (refused === undefined) {
        return { kind: 'events', events, sessionId: opened.id, retryMs: opened.retryMs };
      }
      opened.close();
      return refused;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  async #connect(options: MessageOptions): Promise<SseSession | Reply> {
    const stop = new AbortController();
    const signal = anySignal([options.signal, stop.signal]);
    const { url: address, maxMessageBytes } = this.#options;
    const { bearer } = options;
    const { response, url } = await this.#origin.exchange(
      'GET',
      address,
      { session: {}, bearer, signal, headersTimeoutMs: HEADERS_MS },
      { headers: { accept: 'text/event-stream' } },
    );
    if (response.status !== 200) return { kind: 'refused', refusal: await readRefusal(response) };
    const type = mediaType(response.headers['content-type']);
    if (type !== 'text/event-stream') {
      throw new BadAnswerError(
        `the server answered with content type ${excerpt(type) || 'none'}, where an event stream was expected: ${excerpt(await startOfBody(response))}`,
      );
    }
    let retry: number | undefined;
    const onRetry = (ms: number) => {
      retry = ms;
    };
    const events = readEvents(await decodedBody(response, contentErrors), { maxMessageBytes, onRetry });
    const timer = setTimeout(() => stop.abort(noEndpoint()), ENDPOINT_EVENT_MS);
    try {
      for (let step = await events.next(); !step.done; step = await events.next()) {
        const at = step.value.findIndex(({ event }) => event === 'endpoint');
        if (at === -1) continue;
        return new SseSession({
          id: `sse-${randomUUID()}`,
          events,
          stop,
          retryMs: () => retry,
          endpoint: endpointOf(step.value[at] as ServerEvent, url),
          first: step.value.slice(at + 1),
        });
      }
      throw noEndpoint();
    } catch (error) {
      stop.abort();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Posts one message; undefined: it was accepted. */
  async #send(
    session: SseSession,
    body: Uint8Array | string,
    options: MessageOptions,
  ): Promise<Reply | undefined> {
    const { protocolVersion } = options.session;
    const { response } = await this.#origin.exchange(
      'POST',
      session.endpoint,
      { ...options, session: protocolVersion === undefined ? {} : { protocolVersion } },
      { headers: { 'content-type': 'application/json', accept: 'application/json' }, body },
    );
    if (response.status < 200 || response.status > 299) {
      return { kind: 'refused', refusal: await readRefusal(response) };
    }
    // Its text ("Accepted") is not needed; once it is read to the end, the connection can be reused.
    await startOfBody(response);
    return undefined;
  }
}

/** The endpoint of the `endpoint` event: a URI, often relative; at another origin it would carry our token away (.github/SECURITY.md, attack 20). */
function endpointOf(event: ServerEvent, from: URL): URL {
  const data = textOf(event.data);
  const endpoint = withinOrigin(data.trim(), from);
  // Its query is the name of the session.
  for (const value of endpoint?.searchParams.values() ?? []) keepSecret(value, 'session');
  if (endpoint !== undefined) return endpoint;
  throw new BadAnswerError(
    `the server names an endpoint that is not at its own origin ${from.origin}: ${excerpt(data)}`,
  );
}

function noEndpoint(): BadAnswerError {
  return new BadAnswerError('the server opened an event stream but named no endpoint to post to');
}

/** The response of Streamable HTTP for an unknown session. */
function gone(): Reply {
  const refusal: Refusal = {
    status: 404,
    contentType: '',
    wwwAuthenticate: undefined,
    retryAfter: undefined,
    location: undefined,
    body: new Uint8Array(),
    sessionIsOver: true,
  };
  return { kind: 'refused', refusal };
}

function accepted(session: SseSession): Reply {
  return { kind: 'accepted', sessionId: session.id, promisesResponse: true };
}

/** The post's outcome, or undefined when the answer is there before it; what the post fails with after that is of no interest. */
function firstOf(post: Promise<Reply | undefined>, answer: Promise<void>): Promise<Reply | undefined> {
  return Promise.race([post, answer.then(() => undefined)]);
}
