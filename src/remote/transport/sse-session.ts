import { DrawbridgeError } from '../../errors.ts';
import { HttpError } from '../../platform/http/http.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { isBatch, type MessageId, parseMessage } from '../../protocol/jsonrpc.ts';
import { IdMap } from '../../protocol/message-id.ts';
import { EventChannel } from '../events/event-channel.ts';
import type { ServerEvent } from '../events/event-stream.ts';

export interface SseSessionOptions {
  /** Known only to the bridge: the server distinguishes its sessions by their endpoints. */
  readonly id: string;
  /** Where messages of this session are posted to. */
  readonly endpoint: URL;
  /** The events after the `endpoint` event. */
  readonly events: AsyncIterator<readonly ServerEvent[]>;
  /** Events that arrived in the same chunk. */
  readonly first: readonly ServerEvent[];
  readonly retryMs: () => number | undefined;
  readonly stop: AbortController;
}

interface Expected {
  readonly id: MessageId;
  readonly channel: EventChannel;
  readonly detach: () => void;
}

/**
 * One event stream of HTTP+SSE, over which everything comes that the server says: each answer is handed to who posted the request,
 * all else to who listens. When the stream is over, so is the session: the server has nowhere to answer to.
 */
export class SseSession {
  readonly id: string;
  readonly endpoint: URL;
  readonly retryMs: () => number | undefined;
  /** Messages for which no request waits. */
  readonly unclaimed = new EventChannel();
  readonly #waiting = new IdMap<Expected>();
  readonly #stop: AbortController;
  #over = false;

  constructor(options: SseSessionOptions) {
    this.id = options.id;
    this.endpoint = options.endpoint;
    this.retryMs = options.retryMs;
    this.#stop = options.stop;
    void this.#pump(options.first, options.events);
  }

  /** Whether a response is pending. */
  get inUse(): boolean {
    return this.#waiting.size > 0;
  }

  get over(): boolean {
    return this.#over;
  }

  /** The answer to this id goes to the channel from now on. */
  expect(id: MessageId, signal: StopSignal): EventChannel {
    const channel = new EventChannel();
    const giveUp = () => this.#settle(expected, signal.reason);
    const expected: Expected = { id, channel, detach: () => signal.removeEventListener('abort', giveUp) };
    this.#waiting.set(id, expected);
    signal.addEventListener('abort', giveUp, { once: true });
    return channel;
  }

  /** No response is expected any more. */
  forget(id: MessageId): void {
    const expected = this.#waiting.get(id);
    if (expected !== undefined) this.#settle(expected);
  }

  #settle({ id, channel, detach }: Expected, failure?: unknown): void {
    if (this.#waiting.get(id)?.channel === channel) this.#waiting.delete(id);
    detach();
    channel.close(failure);
  }

  close(): void {
    this.#end(new HttpError('network', 'the session was closed', { sent: true }));
    this.#stop.abort();
  }

  async #pump(first: readonly ServerEvent[], events: AsyncIterator<readonly ServerEvent[]>): Promise<void> {
    try {
      for (const event of first) await this.#route(event);
      for (let step = await events.next(); !step.done; step = await events.next()) {
        for (const event of step.value) await this.#route(event);
      }
      this.#end(new HttpError('network', 'the server closed the event stream', { sent: true }));
    } catch (error) {
      // An aborted stream has its signal's reason; each request has that by itself.
      const known = error instanceof DrawbridgeError;
      this.#end(
        known
          ? error
          : new HttpError('network', 'the event stream was given up', { cause: error, sent: true }),
      );
    }
  }

  async #route(event: ServerEvent): Promise<void> {
    // Specification 2024-11-05, Transports → HTTP with SSE: messages are `message` events.
    if (event.data === '' || (event.event ?? 'message') !== 'message') return;
    const parsed = parseMessage(event.data);
    if (parsed.kind === 'batch') {
      for (const member of parsed.members) {
        // JSON-RPC 2.0 §6 has no batch in a batch; one that nests 100,000 deep would be parsed as often.
        if (isBatch(member)) continue;
        await this.#route({ ...event, data: Buffer.from(member).toString('utf8') });
      }
      return;
    }
    const expected = parsed.kind === 'response' ? this.#waiting.find(parsed.id) : undefined;
    if (expected === undefined) return this.unclaimed.put(event);
    // A second answer to this id finds nobody waiting, and is dropped where all answers are counted.
    this.#waiting.delete(expected.id);
    await expected.channel.put(event);
    this.#settle(expected);
  }

  #end(why: DrawbridgeError): void {
    if (this.#over) return;
    this.#over = true;
    for (const expected of this.#waiting.values()) this.#settle(expected, why);
    this.unclaimed.close();
  }
}
