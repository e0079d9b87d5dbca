import { textOf } from '../../protocol/jsonrpc.ts';
import type { ServerEvent } from '../../remote/events/event-stream.ts';
import type { Reply } from '../../remote/transport/transport.ts';

export type Events = AsyncIterable<readonly ServerEvent[]>;

/** An answer of one message, made here. */
export function messageReply(text: string): Reply {
  return { kind: 'message', json: Buffer.from(text, 'utf8'), sessionId: undefined };
}

export const ACCEPTED: Reply = { kind: 'accepted', sessionId: undefined };

/** An answer as a stream. No event has an id: no stream of a modern server can be resumed (specification 2026-07-28, Receiving Messages). */
export function eventsReply(events: Events): Reply {
  return { kind: 'events', events, sessionId: undefined, retryMs: () => undefined };
}

export function eventOf(data: string): ServerEvent {
  return { id: undefined, event: undefined, data };
}

/** The messages of a reply one by one, as they come. */
export async function* messagesOf(reply: Exclude<Reply, { kind: 'refused' }>): AsyncGenerator<string> {
  if (reply.kind === 'message') yield Buffer.from(reply.json).toString('utf8');
  if (reply.kind !== 'events') return;
  for await (const events of reply.events) {
    for (const { data } of events) if (data !== '') yield textOf(data);
  }
}
