import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

/** Keeps every event, in order. The SDK's example sorts by a random suffix within a millisecond. */
export class OrderedEventStore implements EventStore {
  readonly #events: { readonly streamId: string; readonly message: JSONRPCMessage }[] = [];

  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    return String(this.#events.push({ streamId, message }) - 1);
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#events[Number(eventId)]?.streamId;
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = this.#events[Number(lastEventId)];
    if (last === undefined) return '';
    for (const [index, event] of this.#events.entries()) {
      // A primer (SEP-1699) is stored as an empty object and is no message.
      const isMessage = 'jsonrpc' in event.message;
      if (index > Number(lastEventId) && event.streamId === last.streamId && isMessage) {
        await send(String(index), event.message);
      }
    }
    return last.streamId;
  }
}
