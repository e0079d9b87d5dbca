import { AbortedError } from '../../errors.ts';
import { anySignal } from '../../platform/stop.ts';
import { rawChild, rawMembers } from '../../protocol/json/raw-json.ts';
import { type MessageId, parseMessage, textOf } from '../../protocol/jsonrpc.ts';
import { IdMap, idInParams } from '../../protocol/message-id.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import type { DropConnectionsOptions, Reply, Transport } from '../../remote/transport/transport.ts';
import { ACCEPTED, eventOf, eventsReply, isMessageEvent, messageReply } from '../message/reply.ts';
import { ModernServer, type ModernServerOptions } from './modern-server.ts';
import { withResult } from './tool-catalogue.ts';

/**
 * Connects a modern host to a modern server without translation. The bridge adds the headers that mirror a request and leaves out invalid tools,
 * because a host on stdio does neither (specification 2026-07-28, Streamable HTTP → Request Metadata).
 */
export class ModernTransport implements Transport {
  readonly #options: ModernServerOptions;
  readonly #server: ModernServer;
  readonly #open = new IdMap<AbortController>();

  constructor(options: ModernServerOptions) {
    this.#options = options;
    this.#server = new ModernServer(options);
  }

  async post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    const parsed = parseMessage(body);
    if (parsed.kind === 'notification') {
      // Streamable HTTP → Cancellation: closing the response stream cancels the request; the server expects no message.
      if (parsed.method === 'notifications/cancelled') this.#cancel(idInParams(textOf(body), 'requestId'));
      return ACCEPTED;
    }
    if (parsed.kind !== 'request') return ACCEPTED;
    const { id, method, message } = parsed;
    const own = new AbortController();
    const signal = anySignal([options.signal, own.signal]);
    this.#open.set(id, own);
    const done = () => void (this.#open.get(id) === own && this.#open.delete(id));
    try {
      const request = { id, method, params: message.params, body };
      const reply = await this.#server.send(request, { ...options, signal });
      if (reply.kind === 'events') {
        return eventsReply(this.#watched(reply, method, done));
      }
      done();
      if (reply.kind !== 'message') return reply;
      if (method !== 'tools/list' && Buffer.from(reply.json).includes(RESULT_TYPE)) return reply;
      return messageReply(this.#filled(textOf(reply.json), method));
    } catch (error) {
      done();
      throw error;
    }
  }

  listen(): Promise<Reply> {
    return Promise.resolve(ACCEPTED);
  }

  async end(): Promise<number> {
    return 405;
  }

  dropIdleConnections(options?: DropConnectionsOptions): void {
    this.#options.transport.dropIdleConnections(options);
  }

  #cancel(id: MessageId | undefined): void {
    if (id !== undefined) this.#open.find(id)?.abort(new AbortedError('cancelled by the host'));
  }

  async *#watched(reply: Extract<Reply, { kind: 'events' }>, method: string, done: () => void) {
    try {
      for await (const events of reply.events) {
        const messages = events.filter(isMessageEvent);
        if (messages.length > 0)
          yield messages.map(({ data }) => eventOf(this.#filled(textOf(data), method)));
      }
    } finally {
      done();
    }
  }

  /** The answer without invalid tools and with the `resultType` that strict hosts require; a missing one means complete. */
  #filled(text: string, method: string): string {
    if (method !== 'tools/list' && text.includes(RESULT_TYPE)) return text;
    // Anything but a response passes unchanged; the relay reports what is wrong with it.
    if (parseMessage(text).kind !== 'response') return text;
    const answer = rawMembers(text);
    if (!answer.get('result')?.startsWith('{')) return text;
    const result = rawChild(answer, 'result');
    const kept = method === 'tools/list' ? this.#server.tools.take(result) : result;
    if (kept === result && result.has('resultType')) return text;
    return withResult(answer, new Map([['resultType', '"complete"'], ...kept]));
  }
}

const RESULT_TYPE = '"resultType"';
