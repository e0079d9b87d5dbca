import { isUtf8 } from 'node:buffer';
import { isNestedDeeper } from '../../protocol/json-scan.ts';
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

export type Events = AsyncIterable<readonly ServerEvent[]>;

/** A message of the server that was checked: valid JSON, a JSON-RPC message, and flat enough to be written anew. */
export interface Received {
  readonly text: string;
  readonly envelope: Envelope;
}

/** An answer of one message, made here. */
export function messageReply(text: string): Reply {
  return { kind: 'message', json: Buffer.from(text, 'utf8'), sessionId: undefined };
}

export const ACCEPTED: Reply = { kind: 'accepted', sessionId: undefined };

/** The answer to a request of the host that cannot be written anew. */
export function tooDeep(id: MessageId): string {
  const why = `Invalid request: the message is nested more than ${MAX_NESTING} deep.`;
  return errorAnswer(id, RpcErrorCode.invalidRequest, why);
}

/** An answer as a stream. No event has an id: no stream of a modern server can be resumed (specification 2026-07-28, Receiving Messages). */
export function eventsReply(events: Events): Reply {
  return { kind: 'events', events, sessionId: undefined, retryMs: () => undefined };
}

export function eventOf(data: string): ServerEvent {
  return { id: undefined, event: undefined, data };
}

/**
 * The messages of a reply one by one, as they come. An event that is no message is passed over, since the next may be the answer; where the stream
 * then ends, the BadAnswerError says what came instead.
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

/** Whether an event may hold a message: those of other names are not for us (HTML §9.2.6), and a primer only has an id. */
export function isMessageEvent({ event, data }: ServerEvent): boolean {
  return data !== '' && (event ?? 'message') === 'message';
}

/** The messages of one event, or why it holds none. */
export function messagesIn(event: ServerEvent): readonly Received[] | BadAnswerError {
  if (!isMessageEvent(event)) return [];
  try {
    return received(event.data);
  } catch (error) {
    if (error instanceof BadAnswerError) return error;
    throw error;
  }
}

/** What the server wrote, as messages: several where it is a batch of revision 2025-03-26. Throws BadAnswerError where it is none. */
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
      throw new BadAnswerError(`the server sent JSON that is no JSON-RPC message: ${excerpt(text)}`);
    default:
      return [{ text, envelope: parsed }];
  }
}
