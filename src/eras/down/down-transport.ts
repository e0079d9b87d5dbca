import type { Authorization } from '../../auth/authorization.ts';
import { AbortedError, DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { undeclared, undeclaredReason } from '../../protocol/client-capabilities.ts';
import {
  errorAnswer,
  type JsonObject,
  type MessageId,
  notification,
  parseMessage,
  RpcErrorCode,
  resultAnswer,
  textOf,
} from '../../protocol/jsonrpc.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import type { RefreshOptions, Reply, Transport } from '../../remote/transport/transport.ts';
import { isObject, META, metaOf } from '../message/era.ts';
import { rawChild, rawMembers } from '../message/raw-json.ts';
import { ACCEPTED, type Events, eventOf, eventsReply, messageReply } from '../message/reply.ts';
import { MessageSource } from './call-messages.ts';
import { LegacySession } from './legacy-session.ts';
import { Listeners } from './subscription-listeners.ts';
import { ParkedCalls } from './suspended-calls.ts';
import {
  discoveredFrom,
  INPUT_CALLS,
  INPUT_KEY,
  INPUT_METHODS,
  inputRequired,
  legacyRequest,
  modernAnswer,
} from './translate.ts';

export interface DownTransportOptions {
  readonly transport: Transport;
  readonly authorization: Authorization;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A request of the modern host and the exchange with the legacy server that answers it, which may have begun with an earlier one. */
interface Call {
  readonly id: MessageId;
  readonly method: string;
  readonly params: JsonObject;
  /** The id under which the server knows it. */
  readonly serverId: MessageId;
  readonly source: MessageSource;
  readonly stop: AbortController;
}

/** A modern host with a legacy server: the bridge holds the session that the host does not know of. */
export class DownTransport implements Transport {
  readonly #options: DownTransportOptions;
  readonly #session: LegacySession;
  readonly #listeners: Listeners;
  readonly #parked: ParkedCalls;
  readonly #closed = new AbortController();
  /** What is being answered, by the host's id; the latest last. */
  readonly #running = new Map<MessageId, Call>();
  #logLevel: string | undefined;

  constructor(options: DownTransportOptions) {
    this.#options = options;
    this.#session = new LegacySession({
      ...options,
      onMessage: (text) => this.#unasked(text),
      onReopened: (message) => this.#restore(message),
    });
    this.#listeners = new Listeners(this.#session);
    this.#parked = new ParkedCalls({
      ...options,
      onExpired: ({ id, stop }) => {
        void this.#tell(notification('notifications/cancelled', { requestId: id, reason: 'no input came' }));
        stop.abort(new AbortedError('the host did not bring the input'));
      },
    });
  }

  async post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    const parsed = parseMessage(body);
    if (parsed.kind === 'notification') {
      if (parsed.method === 'notifications/cancelled') await this.#cancel(parsed.message.params, options);
      return ACCEPTED;
    }
    if (parsed.kind !== 'request') return ACCEPTED;
    const { id, method, message } = parsed;
    const params = isObject(message.params) ? message.params : {};
    const refused = await this.#session.open(params, options);
    if (refused !== undefined) return refused;
    if (method === 'server/discover') {
      return messageReply(resultAnswer(id, discoveredFrom(this.#session.greeting)));
    }
    if (method === 'subscriptions/listen') return this.#listeners.add(id, params, options);
    if (params.requestState !== undefined) return this.#resume(id, method, params, body, options);
    return this.#call(id, method, params, textOf(body), options);
  }

  /** A modern host has no stream of this kind. */
  listen(): Promise<Reply> {
    return Promise.resolve(ACCEPTED);
  }

  async end(options: MessageOptions): Promise<number> {
    this.#closed.abort(new AbortedError('the bridge is closing'));
    this.#parked.close();
    return this.#session.end(options);
  }

  refresh(options?: RefreshOptions): void {
    this.#options.transport.refresh(options);
  }

  async #call(
    id: MessageId,
    method: string,
    params: JsonObject,
    body: string,
    options: MessageOptions,
  ): Promise<Reply> {
    await this.#adoptLogLevel(params, options);
    const stop = new AbortController();
    const release = follow(options.signal, stop);
    const message = legacyRequest(rawMembers(body));
    const reply = this.#session.post(message, params, { ...options, signal: stop.signal });
    const source = new MessageSource(reply, (lastEventId, afterMs) =>
      this.#session.resume(lastEventId, afterMs, stop.signal),
    );
    const call: Call = { id, method, params, serverId: id, source, stop };
    this.#running.set(id, call);
    try {
      const first = await Promise.race([reply, source.injected()]);
      if (first?.kind === 'refused' || first?.kind === 'accepted') return this.#ended(call, first);
      if (first?.kind === 'message') {
        const text = modernAnswer(textOf(first.json), id, method, this.#session.greeting.serverInfo);
        return this.#ended(call, messageReply(text));
      }
    } catch (error) {
      this.#running.delete(id);
      throw error;
    }
    return eventsReply(this.#answer(call, release));
  }

  #ended(call: Call, reply: Reply): Reply {
    if (this.#running.get(call.id) === call) this.#running.delete(call.id);
    return reply;
  }

  /** The host's next request for a call that waits for input: the server gets its answer, and goes on. */
  async #resume(
    id: MessageId,
    method: string,
    params: JsonObject,
    body: Uint8Array | string,
    { signal, onSent }: MessageOptions,
  ): Promise<Reply> {
    const parked = this.#parked.take(params.requestState, nameOf(method, params));
    if (parked === undefined) {
      const why = 'Invalid params: this requestState is not known here, or no longer. Make the call anew.';
      return messageReply(errorAnswer(id, RpcErrorCode.invalidParams, why));
    }
    const { id: serverId, question, source, stop, asked } = parked;
    const responses = rawChild(rawChild(rawMembers(textOf(body)), 'params'), 'inputResponses');
    const given = responses.get(INPUT_KEY);
    if (given === undefined) {
      // Error Handling: what is missing is asked for again.
      return messageReply(inputRequired(asked, id, this.#parked.park(parked, nameOf(method, params))));
    }
    await this.#tell(`{"jsonrpc":"2.0","id":${JSON.stringify(question)},"result":${given}}`);
    onSent?.();
    const call: Call = { id, method, params, serverId, source, stop };
    this.#running.set(id, call);
    return eventsReply(this.#answer(call, follow(signal, stop)));
  }

  /** What the host hears of a call until it is answered, or until the server asks something. */
  async *#answer(call: Call, release: () => void): Events & AsyncGenerator {
    const { id, method, params, serverId, source, stop } = call;
    try {
      for (let text = await source.next(); text !== undefined; text = await source.next()) {
        const parsed = parseMessage(text);
        if (parsed.kind === 'response') {
          if (parsed.id !== serverId) continue;
          yield [eventOf(modernAnswer(text, id, method, this.#session.greeting.serverInfo))];
          this.#drain(call);
          return;
        }
        if (parsed.kind === 'request' && INPUT_METHODS.includes(parsed.method)) {
          if (await this.#refusedFor(params, parsed.id, parsed.method)) continue;
          const parked = { question: parsed.id, id: serverId, source, stop, asked: text };
          yield [eventOf(inputRequired(text, id, this.#parked.park(parked, nameOf(method, params))))];
          return;
        }
        if (parsed.kind !== 'notification') await this.#unasked(text);
        else if (this.#listeners.takes(parsed.method)) await this.#listeners.deliver(text);
        else if (parsed.method !== 'notifications/message' || wantsLogs(params)) yield [eventOf(text)];
      }
    } finally {
      release();
      if (this.#running.get(id) === call) this.#running.delete(id);
    }
  }

  /** THREATS 21: a host that has not offered it in this call is not asked; the server is told so in its name. */
  async #refusedFor(params: JsonObject, id: MessageId, method: string): Promise<boolean> {
    const missing = undeclared(method, metaOf(params)[META.clientCapabilities]);
    if (missing === undefined) return false;
    this.#options.logger.warn('refused a request of the server that the host does not offer', { method });
    await this.#tell(errorAnswer(id, RpcErrorCode.methodNotFound, undeclaredReason(missing)));
    return true;
  }

  #drain({ source, stop }: Call): void {
    source.drain().catch((error: unknown) => {
      if (stop.signal.aborted) return;
      this.#options.logger.debug('the rest of an answer broke', { error: describeError(error) });
    });
  }

  /** What a legacy server says outside of a call, or asks for without one. */
  async #unasked(text: string): Promise<void> {
    const parsed = parseMessage(text);
    if (parsed.kind === 'notification') {
      const of = this.#callOf(parsed.method, parsed.message.params);
      return of === undefined ? this.#listeners.deliver(text) : of.source.inject(text);
    }
    if (parsed.kind !== 'request') return;
    const { id, method } = parsed;
    if (method === 'ping') return this.#tell(resultAnswer(id, {}));
    // A server may ask on its own stream in the middle of a call; the latest is the likeliest, and any is better than none.
    const call = [...this.#running.values()].findLast((running) => INPUT_CALLS.includes(running.method));
    if (call !== undefined && INPUT_METHODS.includes(method)) return call.source.inject(text);
    const why = `Method not found: the client speaks revision 2026-07-28, where ${method} is only asked within a call.`;
    return this.#tell(errorAnswer(id, RpcErrorCode.methodNotFound, why));
  }

  /** The call that a notification is about which came on another stream, as everything does over HTTP+SSE. */
  #callOf(method: string, params: unknown): Call | undefined {
    const calls = [...this.#running.values()];
    if (method === 'notifications/message') return calls.findLast((call) => wantsLogs(call.params));
    if (method !== 'notifications/progress' || !isObject(params)) return undefined;
    return calls.find((call) => metaOf(call.params).progressToken === params.progressToken);
  }

  async #cancel(params: unknown, options: MessageOptions): Promise<void> {
    if (!isObject(params) || this.#listeners.cancel(params.requestId)) return;
    const requestId = this.#running.get(params.requestId as MessageId)?.serverId ?? params.requestId;
    const { signal } = options;
    await this.#session.tell(notification('notifications/cancelled', { ...params, requestId }), signal);
  }

  /** The session has one log level, a modern request its own: the last that was asked for holds. */
  async #adoptLogLevel(params: JsonObject, options: MessageOptions): Promise<void> {
    const level = metaOf(params)[META.logLevel];
    if (typeof level !== 'string' || level === this.#logLevel) return;
    if (this.#session.capability('logging') === undefined) return;
    this.#logLevel = level;
    await this.#session.ask('logging/setLevel', { level }, options);
  }

  async #restore(options: MessageOptions): Promise<void> {
    const level = this.#logLevel;
    if (level !== undefined) await this.#session.ask('logging/setLevel', { level }, options);
    await this.#listeners.restore(options);
  }

  async #tell(body: string): Promise<void> {
    try {
      await this.#session.tell(body, this.#closed.signal);
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
      this.#options.logger.warn('a message of the bridge was not delivered', { error: describeError(error) });
    }
  }
}

/** Ends a call with the request that it is of now; a call that is parked outlives the one that began it. */
function follow(signal: StopSignal, stop: AbortController): () => void {
  const end = () => stop.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  return () => signal.removeEventListener('abort', end);
}

function wantsLogs(params: JsonObject): boolean {
  return metaOf(params)[META.logLevel] !== undefined;
}

/** What a call is of, for the binding of its state. */
function nameOf(method: string, params: JsonObject): string {
  return JSON.stringify([method, params.name ?? params.uri]);
}
