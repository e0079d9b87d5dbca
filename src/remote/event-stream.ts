import { createParser } from 'eventsource-parser';
import { TooLargeError } from './failures.ts';

/** One event of a server's stream. `data` is undefined where the event only carried an id (a primer). */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

export interface EventStreamOptions {
  /** A longer message ends the stream with TooLargeError (THREATS 16). */
  readonly maxMessageBytes: number;
  /** The server's wish for the pause before reconnecting, in milliseconds (HTML §9.2.6). */
  readonly onRetry: (ms: number) => void;
}

/** Ids are positions in a stream; what is longer is not meant to be sent back. */
const MAX_ID_CHARACTERS = 4_096;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\x00-\x1f\x7f]/;

/** An id that no header can hold is none: it would come back as `Last-Event-ID` (THREATS 22). */
function usableId(id: string | undefined): string | undefined {
  return id === undefined || id.length > MAX_ID_CHARACTERS || CONTROL.test(id) ? undefined : id;
}

/**
 * The events of a `text/event-stream` body. Reading is what asks for more: the next chunk is taken when all events of the last
 * were. An event cut off by the end of the stream is not an event (HTML §9.2.6).
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  { maxMessageBytes, onRetry }: EventStreamOptions,
): AsyncGenerator<readonly ServerEvent[]> {
  let events: ServerEvent[] = [];
  let tooLarge = false;
  const parser = createParser({
    maxBufferSize: maxMessageBytes,
    onRetry,
    onEvent: ({ id, event, data }) => {
      // The parser only measures what it holds: an event that came whole in one chunk is measured here.
      if (data.length > maxMessageBytes) tooLarge = true;
      else if (!tooLarge) events.push({ id: usableId(id), event, data });
    },
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') tooLarge = true;
    },
  });
  const decoder = new TextDecoder();
  let afterReturn = false;
  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true });
    if (text === '') continue;
    if (afterReturn && text.startsWith('\n')) text = text.slice(1);
    // A return at the end of a chunk ends its line now: the parser would wait for a line feed that may never come (HTML §9.2.5).
    afterReturn = text.endsWith('\r');
    parser.feed(afterReturn ? text.replace(/\r\n?/g, '\n') : text);
    if (events.length > 0) {
      const complete = events;
      events = [];
      yield complete;
    }
    if (tooLarge) {
      throw new TooLargeError(`the server sent a message of more than ${maxMessageBytes} bytes`, {
        hint: 'Raise the limit with --max-message-size.',
      });
    }
  }
}
