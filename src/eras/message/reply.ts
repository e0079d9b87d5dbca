import { isUtf8 } from 'node:buffer';
import { isNestedDeeper } from '../../protocol/json/json-scan.ts';
import {
  type Envelope,
  errorAnswer,
  isBatch,
  parseMessage,
  RpcErrorCode,
  textOf,
} from '../../protocol/jsonrpc.ts';
import type { MessageId } from '../../protocol/message-id.ts';
import type { ServerEvent } from '../../remote/events/event-stream.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import { excerpt } from '../../remote/http/refusal.ts';
import type { Reply, ServerReply } from '../../remote/transport/transport.ts';
import { MAX_NESTING } from './limits.ts';

/** The events of a reply, in batches as they arrive. */
export type Events = AsyncIterable<readonly ServerEvent[]>;

/** A message of the server that was checked: valid JSON, a JSON-RPC message, and not nested too deeply to be translated. */
export interface Received {
  readonly text: string;
  readonly envelope: Envelope;
}

/** A reply that consists of one message made by the bridge. */
export function messageReply(text: string): Reply {
  return { kind: 'message', json: Buffer.from(text, 'utf8'), sessionId: undefined };
}

/** The reply to a message that needs no answer. */
export const ACCEPTED: Reply = { kind: 'accepted', sessionId: undefined, promisesResponse: false };

/** The error response to a request of the host that is nested too deeply to be translated. */
export function tooDeep(id: MessageId): string {
  const why = `Invalid request: the message is nested more than ${MAX_NESTING} deep.`;
  return errorAnswer(id, RpcErrorCode.invalidRequest, why);
}

/** A reply as a stream. Its events have no ids, because no stream of a modern server can be resumed (specification 2026-07-28, Receiving Messages). */
export function eventsReply(events: Events): Reply {
  return { kind: 'events', events, sessionId: undefined, retryMs: () => undefined };
}

/** An event with a message and no id. */
export function eventOf(data: string): ServerEvent {
  return { id: undefined, event: undefined, data };
}

/**
 * The messages of a reply as they arrive. An event that is not a message is skipped, since the next one may be the answer. If there was such an
 * event, the end of the stream throws a BadAnswerError that describes the first of them.
 */
export async function* messagesOf(reply: ServerReply): AsyncGenerator<Received> {
  if (reply.kind === 'message') yield* received(reply.json);
  if (reply.kind !== 'events') return;
  let failure: BadAnswerError | undefined;
  for await (const events of reply.events) {
    for (const event of events) {
      const read = messagesIn(event);
      if (read instanceof BadAnswerError) failure ??= read;
      else yield* read;
    }
  }
  if (failure !== undefined) throw failure;
}

/** Whether an event may contain a message: events with other names are ignored (HTML §9.2.6), and a priming event only has an id. */
export function isMessageEvent({ event, data }: ServerEvent): boolean {
  return data !== '' && (event ?? 'message') === 'message';
}

/** The messages of one event, or the reason why there are none. */
export function messagesIn(event: ServerEvent): readonly Received[] | BadAnswerError {
  if (!isMessageEvent(event)) return [];
  try {
    return received(event.data);
  } catch (error) {
    if (error instanceof BadAnswerError) return error;
    throw error;
  }
}

/** Parses what the server sent: one message, or several in a batch of revision 2025-03-26. Throws BadAnswerError if it is not a message. */
export function received(json: Uint8Array | string): Received[] {
  if (typeof json !== 'string' && !isUtf8(json)) {
    throw new BadAnswerError('the server sent a message that is not UTF-8');
  }
  const text = textOf(json);
  if (isNestedDeeper(text, MAX_NESTING)) {
    throw new BadAnswerError(`the server sent JSON that is nested more than ${MAX_NESTING} deep`);
  }
  const parsed = parseMessage(text);
  switch (parsed.kind) {
    case 'batch':
      return parsed.members.flatMap((member) => {
        if (isBatch(member)) throw new BadAnswerError('the server sent a batch within a batch');
        return received(member);
      });
    case 'not-json':
      throw new BadAnswerError(`the server sent something that is not JSON: ${excerpt(text)}`);
    case 'not-a-message':
      throw new BadAnswerError(`the server sent JSON that is not a JSON-RPC message: ${excerpt(text)}`);
    default:
      return [{ text, envelope: parsed }];
  }
}
