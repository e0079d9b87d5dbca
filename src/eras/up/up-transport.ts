import { AbortedError, DrawbridgeError, describeError } from '../../errors.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { isObject } from '../../protocol/json/json-object.ts';
import { type RawObject, rawChild, rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import {
  errorAnswer,
  parseMessage,
  RpcErrorCode,
  resultAnswer,
  serverRequest,
  textOf,
} from '../../protocol/jsonrpc.ts';
import { answersId, IdMap, idInParams, type MessageId } from '../../protocol/message-id.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import { ACCEPT_MS } from '../../remote/http/limits.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import {
  type DropConnectionsOptions,
  isRejection,
  type Reply,
  type Transport,
} from '../../remote/transport/transport.ts';
import { Channel } from '../message/channel.ts';
import {
  ACCEPTED,
  eventsReply,
  messageReply,
  messagesOf,
  type Received,
  received,
} from '../message/reply.ts';
import { ModernServer, type ModernServerOptions } from '../modern/modern-server.ts';
import { type Call, failure, InputRounds } from './input-rounds.ts';
import { type SubscriptionFilter, Subscriptions } from './subscriptions.ts';
import {
  type HostIdentity,
  identityOf,
  initializeResultFrom,
  legacyAnswer,
  type ModernAnswer,
  metaFor,
  modernRequest,
} from './translate.ts';

/** Connects a legacy host to a modern server; each side receives messages of its own revision. */
export class UpTransport implements Transport {
  readonly #options: ModernServerOptions;
  readonly #server: ModernServer;
  readonly #rounds: InputRounds;
  readonly #open = new IdMap<AbortController>();
  readonly #channel = new Channel();
  readonly #subscriptions: Subscriptions;
  readonly #resources = new Set<string>();
  readonly #ended = new AbortController();
  #identity: HostIdentity = identityOf(undefined);
  #capabilities: { readonly [name: string]: unknown } = {};
  #logLevel: string | undefined;

  constructor(options: ModernServerOptions) {
    this.#options = options;
    this.#server = new ModernServer(options);
    this.#rounds = new InputRounds({
      clock: options.clock,
      newId: () => this.#server.newId(),
      translated: (text, call) => this.#translated(text, call),
      again: (call, id, request) =>
        this.#send(call, id, request, { session: {}, signal: call.options.signal }),
    });
    this.#subscriptions = new Subscriptions({
      ...options,
      channel: this.#channel,
      newId: () => this.#server.newId(),
      open: (id, filter, signal) => this.#openSubscription(id, filter, signal),
    });
  }

  async post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    const parsed = parseMessage(body);
    if (parsed.kind === 'response') {
      this.#rounds.take(parsed.id, textOf(body));
      return ACCEPTED;
    }
    if (parsed.kind === 'notification') {
      // Streamable HTTP → Cancellation: closing the response stream cancels the request; the server expects no message.
      if (parsed.method === 'notifications/cancelled') this.#cancel(idInParams(textOf(body), 'requestId'));
      return ACCEPTED;
    }
    if (parsed.kind !== 'request') return ACCEPTED;
    const { id, method, message } = parsed;
    const params = isObject(message.params) ? message.params : {};
    switch (method) {
      case 'initialize':
        return this.#initialize(id, params, options);
      case 'ping':
        return messageReply(resultAnswer(id, {}));
      case 'logging/setLevel':
        this.#logLevel = typeof params.level === 'string' ? params.level : undefined;
        return messageReply(resultAnswer(id, {}));
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return this.#subscribe(id, method, params.uri);
      default:
        if (method.startsWith('tasks/')) {
          return messageReply(errorAnswer(id, RpcErrorCode.methodNotFound, NO_TASKS));
        }
        return this.#call(id, method, rawMembers(textOf(body)), options);
    }
  }

  /** The stream that a legacy host expects for unsolicited messages; it carries the notifications of the subscriptions. */
  async listen(options: MessageOptions): Promise<Reply> {
    options.signal.throwIfAborted();
    if (Object.keys(this.#filter()).length > 0) {
      this.#subscriptions
        .listen(this.#filter(), anySignal([options.signal, this.#ended.signal]))
        .catch((error: unknown) => {
          this.#options.logger.debug('the server does not accept subscriptions', {
            error: describeError(error),
          });
        });
    }
    return eventsReply(this.#channel.read(options.signal));
  }

  async end(): Promise<number> {
    this.#ended.abort();
    this.#subscriptions.close();
    return 200;
  }

  dropIdleConnections(options?: DropConnectionsOptions): void {
    this.#options.transport.dropIdleConnections(options);
  }

  #cancel(id: MessageId | undefined): void {
    if (id !== undefined) this.#open.find(id)?.abort(new AbortedError('cancelled by the host'));
  }

  async #initialize(id: MessageId, params: unknown, options: MessageOptions): Promise<Reply> {
    this.#identity = identityOf(params);
    const asked = { _meta: metaFor(this.#identity) };
    const own = this.#server.newId();
    const body = serverRequest(own, 'server/discover', asked);
    const request = { id: own, method: 'server/discover', params: asked, body };
    const reply = await this.#server.send(request, options);
    if (isRejection(reply)) return reply;
    for await (const { text, envelope } of messagesOf(reply)) {
      if (envelope.kind !== 'response' || !answersId(envelope.id, own)) continue;
      if (envelope.failed) return messageReply(rawObject(rawMembers(text).set('id', id)));
      const { result } = envelope.message;
      const initializeResult = initializeResultFrom(isObject(result) ? result : {}, this.#identity);
      this.#capabilities = isObject(initializeResult.capabilities) ? initializeResult.capabilities : {};
      return messageReply(resultAnswer(id, initializeResult));
    }
    throw new BadAnswerError('the server ended its answer without answering server/discover');
  }

  async #call(id: MessageId, method: string, request: RawObject, options: MessageOptions): Promise<Reply> {
    const own = new AbortController();
    this.#open.set(id, own);
    const call: Call = {
      id,
      method,
      request,
      options: { ...options, signal: anySignal([options.signal, own.signal]) },
      done: () => void (this.#open.get(id) === own && this.#open.delete(id)),
    };
    try {
      const reply = await this.#send(call, id, request, call.options);
      if (reply.kind === 'message') {
        const answer = this.#only(received(reply.json), call);
        if (answer?.kind === 'complete') {
          call.done();
          return messageReply(answer.text);
        }
      } else if (isRejection(reply)) {
        call.done();
        return reply;
      }
      return eventsReply(this.#rounds.run(reply, call));
    } catch (error) {
      call.done();
      throw error;
    }
  }

  /** The answer, if the reply consists of nothing else; other replies are handled by the rounds. */
  #only([only, ...others]: readonly Received[], call: Call): ModernAnswer | undefined {
    const { envelope, text } = only ?? {};
    if (others.length > 0 || text === undefined || envelope?.kind !== 'response') return undefined;
    return answersId(envelope.id, call.id) ? this.#translated(text, call) : undefined;
  }

  #send(call: Call, id: MessageId, request: RawObject, options: MessageOptions): Promise<Reply> {
    const body = rawObject(
      modernRequest(new Map(request).set('id', id), metaFor(this.#identity, this.#logLevel)),
    );
    const { params } = JSON.parse(body) as { params: unknown };
    return this.#server.send({ id, method: call.method, params, body }, options);
  }

  #translated(text: string, call: Call): ModernAnswer {
    const answer = legacyAnswer(text, call.id, call.method);
    if (answer.kind !== 'complete' || call.method !== 'tools/list') return answer;
    const members = rawMembers(answer.text);
    if (!members.has('result')) return answer;
    const kept = this.#server.tools.take(rawChild(members, 'result'));
    return { ...answer, text: rawObject(members.set('result', rawObject(kept))) };
  }

  async #subscribe(id: MessageId, method: string, uri: unknown): Promise<Reply> {
    if (typeof uri !== 'string') {
      return messageReply(errorAnswer(id, RpcErrorCode.invalidParams, 'Invalid params: uri is missing.'));
    }
    if (method === 'resources/subscribe') this.#resources.add(uri);
    else this.#resources.delete(uri);
    try {
      const what = `the acknowledgement of ${method}`;
      const limit = { clock: this.#options.clock, ms: ACCEPT_MS, signal: this.#ended.signal, what };
      await withinTimeLimit(limit, (signal) => this.#subscriptions.listen(this.#filter(), signal));
      return messageReply(resultAnswer(id, {}));
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
      if (method === 'resources/subscribe') this.#resources.delete(uri);
      return messageReply(failure(id, describeError(error)));
    }
  }

  /** A filter for everything that a legacy server would have announced unasked. */
  #filter(): SubscriptionFilter {
    const changes = (name: string) => {
      const capability = this.#capabilities[name];
      return isObject(capability) && capability.listChanged === true;
    };
    return {
      ...(changes('tools') ? { toolsListChanged: true as const } : {}),
      ...(changes('prompts') ? { promptsListChanged: true as const } : {}),
      ...(changes('resources') ? { resourcesListChanged: true as const } : {}),
      ...(this.#resources.size > 0 ? { resourceSubscriptions: [...this.#resources] } : {}),
    };
  }

  #openSubscription(id: MessageId, notifications: SubscriptionFilter, signal: StopSignal): Promise<Reply> {
    const params = { notifications, _meta: metaFor(this.#identity) };
    const body = serverRequest(id, 'subscriptions/listen', params);
    const request = { id, method: 'subscriptions/listen', params, body };
    // `mayRecover` is false because a timer opens the stream again.
    return this.#server.send(request, { session: {}, signal, mayRecover: false });
  }
}

const NO_TASKS =
  'Method not found: this server speaks revision 2026-07-28, whose tasks cannot be translated for this host.';
