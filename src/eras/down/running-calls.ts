import type { JsonObject } from '../../protocol/json-object.ts';
import { answersId, IdMap, idInParams, type MessageId } from '../../protocol/message-id.ts';
import { META, metaOf } from '../../protocol/revisions.ts';
import type { Received } from '../message/reply.ts';
import type { CallMessages } from './call-messages.ts';
import { INPUT_CALLS } from './translate.ts';

/** A request of the modern host and the exchange with the legacy server that answers it, which may have begun with an earlier one. */
export interface Call {
  readonly id: MessageId;
  readonly method: string;
  readonly params: JsonObject;
  /** The id under which the server knows it. */
  readonly serverId: MessageId;
  /** What the server calls it in notifications of its progress. */
  readonly progressToken: MessageId | undefined;
  readonly source: CallMessages;
  readonly stop: AbortController;
}

/** What is being answered, by the host's id; the latest last. */
export class RunningCalls {
  readonly #calls = new IdMap<Call>();

  add(call: Call): void {
    this.#calls.set(call.id, call);
  }

  /** A later call under the same id stays. */
  remove(call: Call): void {
    if (this.#calls.get(call.id) === call) this.#calls.delete(call.id);
  }

  find(id: MessageId): Call | undefined {
    return this.#calls.find(id);
  }

  /** The call that a question of the server is likely to be about: the latest; and any is better than none. */
  forQuestion(): Call | undefined {
    return this.#calls.values().findLast(({ method }) => INPUT_CALLS.includes(method));
  }

  /** The call that a notification is about which came on another stream, as everything does over HTTP+SSE. */
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

export function wantsLogs({ params }: Pick<Call, 'params'>): boolean {
  return metaOf(params)[META.logLevel] !== undefined;
}

export function isAnswer({ envelope }: Received, id: MessageId): boolean {
  return envelope.kind === 'response' && answersId(envelope.id, id);
}

/** What a call is of, for the binding of its state. */
export function nameOf({ method, params }: Pick<Call, 'method' | 'params'>): string {
  return JSON.stringify([method, params.name ?? params.uri]);
}
