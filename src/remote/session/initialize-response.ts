import { isUtf8 } from 'node:buffer';
import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { type Envelope, type MessageId, parseMessage, textOf } from '../../protocol/jsonrpc.ts';
import { answersId } from '../../protocol/message-id.ts';
import type { ServerEvent } from '../events/event-stream.ts';
import { BadAnswerError } from '../http/errors.ts';
import type { SessionHeaders } from '../http/message-options.ts';
import { excerpt } from '../http/refusal.ts';
import { sessionHeaders } from '../transport/session-headers.ts';
import type { Events, ServerReply } from '../transport/transport.ts';

/** The server's answer to `initialize`, and what came with it. */
export interface InitializeResponse {
  /** The answer as it came. */
  readonly json: Uint8Array | string;
  readonly answer: Extract<Envelope, { kind: 'response' }>;
  /** The session that it opens; undefined where the answer holds no result. */
  readonly opened: { readonly session: SessionHeaders; readonly result: JsonObject } | undefined;
  /** Messages that came before the answer. */
  readonly others: readonly string[];
  /** The rest of the stream after it. */
  readonly rest: Events | undefined;
}

/** Reads a reply to an `initialize` with this id up to its answer. Rejects with BadAnswerError where there is none; else as the stream does. */
export async function readInitializeResponse(reply: ServerReply, id: MessageId): Promise<InitializeResponse> {
  if (reply.kind === 'accepted') {
    throw new BadAnswerError('the server accepted initialize but did not answer it');
  }
  const { sessionId } = reply;
  if (reply.kind === 'message') {
    const { json } = reply;
    const answer = parseMessage(json);
    if (answer.kind !== 'response' || !answersId(answer.id, id)) {
      const what = isUtf8(json) ? `something else: ${excerpt(json)}` : 'a message that is not UTF-8';
      throw new BadAnswerError(`the server answered initialize with ${what}`);
    }
    return { json, answer, opened: openedBy(answer, sessionId), others: [], rest: undefined };
  }
  const others: string[] = [];
  const iterator = reply.events[Symbol.asyncIterator]();
  for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
    for (const [at, { data }] of step.value.entries()) {
      if (data === '') continue;
      const answer = parseMessage(data);
      if (answer.kind === 'response' && answersId(answer.id, id)) {
        const rest = { ...reply, events: eventsFrom(step.value.slice(at + 1), iterator) };
        return { json: data, answer, opened: openedBy(answer, sessionId), others, rest };
      }
      others.push(textOf(data));
    }
  }
  throw new BadAnswerError('the server ended its answer without answering initialize');
}

function openedBy(
  { message }: InitializeResponse['answer'],
  sessionId: string | undefined,
): InitializeResponse['opened'] {
  const { result } = message;
  if (!isObject(result)) return undefined;
  return { session: sessionHeaders(sessionId, result.protocolVersion), result };
}

/** The events that came in one chunk with the answer, and then the rest of the stream. */
async function* eventsFrom(
  first: readonly ServerEvent[],
  following: AsyncIterator<readonly ServerEvent[]>,
): AsyncGenerator<readonly ServerEvent[]> {
  if (first.length > 0) yield first;
  yield* { [Symbol.asyncIterator]: () => following };
}
