import type { JsonObject } from '../../protocol/json/json-object.ts';
import { answersId, IdMap, idInParams, type MessageId } from '../../protocol/message-id.ts';
import { INPUT_CALLS, META, metaOf } from '../../protocol/revisions.ts';
import type { Received } from '../message/reply.ts';
import type { CallMessages } from './call-messages.ts';

/** A request of the modern host and the exchange with the legacy server that answers it, which an earlier request may have begun. */
export interface Call {
  readonly id: MessageId;
  readonly method: string;
  readonly params: JsonObject;
  /** The id of the call at the server. */
  readonly serverId: MessageId;
  /** The token in the server's progress notifications. */
  readonly progressToken: MessageId | undefined;
  readonly source: CallMessages;
  readonly stop: AbortController;
}

/** The calls in progress by the host's id, latest last. */
export class RunningCalls {
  readonly #calls = new IdMap<Call>();

  add(call: Call): void {
    this.#calls.set(call.id, call);
  }

  /** Removes this call, but not a later one with the same id. */
  remove(call: Call): void {
    if (this.#calls.get(call.id) === call) this.#calls.delete(call.id);
  }

  find(id: MessageId): Call | undefined {
    return this.#calls.find(id);
  }

  /** The call to which a question of the server most likely belongs: the latest. A guess is better than refusing the question. */
  forQuestion(): Call | undefined {
    return this.#calls.values().findLast(({ method }) => INPUT_CALLS.includes(method));
  }

  /** The call to which a notification from another stream belongs; over HTTP+SSE all messages arrive on one stream. */
  forNotification(method: string, text: string): Call | undefined {
    if (method === 'notifications/message') return this.#calls.values().findLast(wantsLogs);
    if (method !== 'notifications/progress') return undefined;
    const token = idInParams(text, 'progressToken');
    if (token === undefined) return undefined;
    return this.#calls
      .values()
      .find(({ progressToken }) => progressToken !== undefined && answersId(token, progressToken));
  }
}

/** Whether the host asked for log messages with this call. */
export function wantsLogs({ params }: Pick<Call, 'params'>): boolean {
  return metaOf(params)[META.logLevel] !== undefined;
}

/** Whether the message is the answer to the request `id`. */
export function isAnswer({ envelope }: Received, id: MessageId): boolean {
  return envelope.kind === 'response' && answersId(envelope.id, id);
}

/** The method and target of a call, to which its state is bound. */
export function nameOf({ method, params }: Pick<Call, 'method' | 'params'>): string {
  return JSON.stringify([method, params.name ?? params.uri]);
}
