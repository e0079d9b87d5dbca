import { AbortedError, DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { missingCapability, missingCapabilityReason } from '../../protocol/client-capabilities.ts';
import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { isNestedDeeper } from '../../protocol/json/json-scan.ts';
import { type RawObject, rawChild, rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import { errorAnswer, parseMessage, RpcErrorCode, resultAnswer, textOf } from '../../protocol/jsonrpc.ts';
import { asMessageId, idInParams, type MessageId } from '../../protocol/message-id.ts';
import { META, metaOf } from '../../protocol/revisions.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import {
  type DropConnectionsOptions,
  isRejection,
  type Reply,
  type Transport,
} from '../../remote/transport/transport.ts';
import { MAX_NESTING } from '../message/limits.ts';
import {
  ACCEPTED,
  type Events,
  eventOf,
  eventsReply,
  messageReply,
  type Received,
  received,
  tooDeep,
} from '../message/reply.ts';
import { CallMessages } from './call-messages.ts';
import { LegacySession } from './legacy-session.ts';
import { type Call, isAnswer, nameOf, RunningCalls, wantsLogs } from './running-calls.ts';
import { SubscriptionListeners } from './subscription-listeners.ts';
import { SuspendedCalls } from './suspended-calls.ts';
import {
  discoveredFrom,
  INPUT_KEY,
  INPUT_METHODS,
  inputRequired,
  legacyRequest,
  modernAnswer,
} from './translate.ts';

/** What `DownTransport` needs. */
export interface DownTransportOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Connects a modern host to a legacy server: the bridge keeps the session, which the host does not know about. */
export class DownTransport implements Transport {
  readonly #options: DownTransportOptions;
  readonly #session: LegacySession;
  readonly #listeners: SubscriptionListeners;
  readonly #suspended: SuspendedCalls;
  readonly #closed = new AbortController();
  readonly #running = new RunningCalls();
  #logLevel: string | undefined;

  constructor(options: DownTransportOptions) {
    this.#options = options;
    this.#session = new LegacySession({
      ...options,
      onMessage: (message) => this.#unasked(message),
      onReopened: (message) => this.#restore(message),
    });
    this.#listeners = new SubscriptionListeners(this.#session);
    this.#suspended = new SuspendedCalls({
      ...options,
      onExpired: ({ id, stop }) => {
        void this.#tell(cancellation(new Map([['reason', '"the requested input did not arrive"']]), id));
        stop.abort(new AbortedError('the host did not send the requested input'));
      },
    });
  }

  async post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    const parsed = parseMessage(body);
    if (parsed.kind === 'notification') {
      if (parsed.method === 'notifications/cancelled') await this.#cancel(textOf(body), options);
      return ACCEPTED;
    }
    if (parsed.kind !== 'request') return ACCEPTED;
    const { id, method, message } = parsed;
    if (isNestedDeeper(textOf(body), MAX_NESTING)) return messageReply(tooDeep(id));
    const params = isObject(message.params) ? message.params : {};
    const refused = await this.#session.open(params, options);
    if (refused !== undefined) return refused;
    if (method === 'server/discover') {
      return messageReply(resultAnswer(id, discoveredFrom(this.#session.initializeResult)));
    }
    if (method === 'subscriptions/listen') return this.#listeners.add(id, params, options);
    if (params.requestState !== undefined) return this.#resume(id, method, params, body, options);
    return this.#call(id, method, params, textOf(body), options);
  }

  /** A modern host never opens such a stream. */
  listen(): Promise<Reply> {
    return Promise.resolve(ACCEPTED);
  }

  async end(options: MessageOptions): Promise<number> {
    this.#closed.abort(new AbortedError('the bridge is closing'));
    this.#suspended.close();
    return this.#session.end(options);
  }

  dropIdleConnections(options?: DropConnectionsOptions): void {
    this.#options.transport.dropIdleConnections(options);
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
    const request = rawMembers(body);
    const progressToken = asMessageId(rawChild(rawChild(request, 'params'), '_meta').get('progressToken'));
    const message = legacyRequest(request);
    const reply = this.#session.post(message, params, { ...options, signal: stop.signal });
    const source = new CallMessages(reply, (lastEventId, retryMs) =>
      this.#session.resume(lastEventId, retryMs, stop.signal),
    );
    const call: Call = { id, method, params, serverId: id, progressToken, source, stop };
    this.#running.add(call);
    try {
      const first = await Promise.race([reply, source.injected()]);
      if (first !== undefined && (isRejection(first) || first.kind === 'accepted'))
        return this.#ended(call, first);
      if (first?.kind === 'message') {
        const [only, ...others] = received(first.json);
        // Any other reply is handled message by message.
        if (only !== undefined && others.length === 0 && isAnswer(only, id)) {
          const text = modernAnswer(only.text, id, method, this.#session.initializeResult.serverInfo);
          return this.#ended(call, messageReply(text));
        }
      }
    } catch (error) {
      this.#running.remove(call);
      throw error;
    }
    return eventsReply(this.#answer(call, release));
  }

  #ended(call: Call, reply: Reply): Reply {
    this.#running.remove(call);
    return reply;
  }

  /** Handles the host's next request for a suspended call: the server gets the answer to its question and continues. */
  async #resume(
    id: MessageId,
    method: string,
    params: JsonObject,
    body: Uint8Array | string,
    { signal, progress }: MessageOptions,
  ): Promise<Reply> {
    const suspended = this.#suspended.take(params.requestState, nameOf({ method, params }));
    if (suspended === undefined) {
      const why =
        'Invalid params: this requestState is unknown or has expired. Send the call again without it.';
      return messageReply(errorAnswer(id, RpcErrorCode.invalidParams, why));
    }
    const { id: serverId, question, progressToken, source, stop, asked } = suspended;
    const responses = rawChild(rawChild(rawMembers(textOf(body)), 'params'), 'inputResponses');
    const given = responses.get(INPUT_KEY);
    if (given === undefined) {
      // Multi Round-Trip Requests → Error Handling: missing input is requested again.
      return messageReply(
        inputRequired(asked, id, this.#suspended.park(suspended, nameOf({ method, params }))),
      );
    }
    progress?.sending();
    await this.#tell(`{"jsonrpc":"2.0","id":${question},"result":${given}}`);
    progress?.sent();
    const call: Call = { id, method, params, serverId, progressToken, source, stop };
    this.#running.add(call);
    return eventsReply(this.#answer(call, follow(signal, stop)));
  }

  /** The messages for the host about a call, until it is answered or the server asks a question. */
  async *#answer(call: Call, release: () => void): Events & AsyncGenerator {
    const { id, method, params, serverId, progressToken, source, stop } = call;
    try {
      for (let message = await source.next(); message !== undefined; message = await source.next()) {
        const { text, envelope } = message;
        if (envelope.kind === 'response') {
          if (!isAnswer(message, serverId)) continue;
          yield [eventOf(modernAnswer(text, id, method, this.#session.initializeResult.serverInfo))];
          this.#drain(call);
          return;
        }
        if (envelope.kind === 'request' && INPUT_METHODS.includes(envelope.method)) {
          if (await this.#refusedFor(params, envelope.id, envelope.method)) continue;
          const suspended = { question: envelope.id, id: serverId, progressToken, source, stop, asked: text };
          void source.readAhead();
          yield [
            eventOf(inputRequired(text, id, this.#suspended.park(suspended, nameOf({ method, params })))),
          ];
          return;
        }
        if (envelope.kind !== 'notification') await this.#unasked(message);
        else if (this.#listeners.takes(envelope.method)) await this.#listeners.deliver(message);
        else if (envelope.method !== 'notifications/message' || wantsLogs(call)) yield [eventOf(text)];
      }
    } finally {
      release();
      this.#running.remove(call);
    }
  }

  /** .github/SECURITY.md, attack 21: a host that has not declared the capability in this call is not asked; the bridge refuses on its behalf. */
  async #refusedFor(params: JsonObject, id: MessageId, method: string): Promise<boolean> {
    const missing = missingCapability(method, metaOf(params)[META.clientCapabilities]);
    if (missing === undefined) return false;
    this.#options.logger.warn('refused a request of the server that needs a capability of the host', {
      method,
    });
    await this.#tell(errorAnswer(id, RpcErrorCode.methodNotFound, missingCapabilityReason(missing)));
    return true;
  }

  #drain({ source, stop }: Call): void {
    source.drain().catch((error: unknown) => {
      if (stop.signal.aborted) return;
      this.#options.logger.debug('the rest of an answer could not be read', { error: describeError(error) });
    });
  }

  /** Handles a message that a legacy server sends outside of a call. */
  async #unasked(message: Received): Promise<void> {
    const { text, envelope } = message;
    if (envelope.kind === 'notification') {
      const of = this.#running.forNotification(envelope.method, text);
      return of === undefined ? this.#listeners.deliver(message) : of.source.inject(message);
    }
    if (envelope.kind !== 'request') return;
    const { id, method } = envelope;
    if (method === 'ping') return this.#tell(resultAnswer(id, {}));
    // A server may ask on its own stream in the middle of a call.
    const call = this.#running.forQuestion();
    if (call !== undefined && INPUT_METHODS.includes(method)) return call.source.inject(message);
    const why = `Method not found: the client speaks revision 2026-07-28, where ${method} is only sent within a call.`;
    return this.#tell(errorAnswer(id, RpcErrorCode.methodNotFound, why));
  }

  async #cancel(text: string, { signal }: MessageOptions): Promise<void> {
    const id = idInParams(text, 'requestId');
    if (id === undefined || this.#listeners.cancel(id)) return;
    const requestId = this.#running.find(id)?.serverId ?? id;
    await this.#session.tell(cancellation(rawChild(rawMembers(text), 'params'), requestId), signal);
  }

  /** The session has one log level, while every modern request carries one: the last one requested applies. */
  async #adoptLogLevel(params: JsonObject, options: MessageOptions): Promise<void> {
    const level = metaOf(params)[META.logLevel];
    if (typeof level !== 'string' || level === this.#logLevel) return;
    if (this.#session.capability('logging') === undefined) return;
    this.#logLevel = level;
    await this.#session.tryAsk('logging/setLevel', { level }, options);
  }

  async #restore(options: MessageOptions): Promise<void> {
    const level = this.#logLevel;
    if (level !== undefined) await this.#session.tryAsk('logging/setLevel', { level }, options);
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

/** Ends a call when its current request ends; a suspended call outlives the request that began it. */
function follow(signal: StopSignal, stop: AbortController): () => void {
  const end = () => stop.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  return () => signal.removeEventListener('abort', end);
}

function cancellation(params: RawObject, requestId: MessageId): string {
  const cancelled = rawObject(new Map(params).set('requestId', requestId));
  return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":${cancelled}}`;
}
