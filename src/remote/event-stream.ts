import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceParser } from 'eventsource-parser';
import type { HttpBody } from '../platform/http.ts';
import { TooLargeError } from './failures.ts';

type Body = AsyncIterable<Uint8Array> & Partial<Pick<HttpBody, 'whole'>>;

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
  body: Body,
  options: EventStreamOptions,
): AsyncGenerator<readonly ServerEvent[]> {
  const reader = new EventReader(options);
  const whole = body.whole?.();
  if (whole === undefined) {
    for await (const chunk of body) {
      const events = reader.take(chunk);
      if (events.length > 0) yield events;
      reader.check();
    }
    return;
  }
  for (const chunk of whole) {
    const events = reader.take(chunk);
    if (events.length > 0) yield events;
    reader.check();
  }
}

class EventReader {
  readonly #maxMessageBytes: number;
  readonly #parser: EventSourceParser;
  /** Unlike TextDecoder it makes strings of one byte a character where that is enough, and no converter for each stream. */
  readonly #decoder = new StringDecoder('utf8');
  #events: ServerEvent[] = [];
  #isTooLarge = false;
  #isFirst = true;
  #isAfterReturn = false;

  constructor({ maxMessageBytes, onRetry }: EventStreamOptions) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#parser = createParser({
      maxBufferSize: maxMessageBytes,
      onRetry,
      onEvent: ({ id, event, data }) => {
        // The parser only measures what it holds: an event that came whole in one chunk is measured here.
        if (data.length > maxMessageBytes) this.#isTooLarge = true;
        else if (!this.#isTooLarge) this.#events.push({ id: usableId(id), event, data });
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') this.#isTooLarge = true;
      },
    });
  }

  /** The events that this chunk completes. */
  take(chunk: Uint8Array): readonly ServerEvent[] {
    let text = this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (text === '') return [];
    // HTML §9.2.5: one leading byte order mark is not part of the stream.
    if (this.#isFirst && text.startsWith('\uFEFF')) text = text.slice(1);
    this.#isFirst = false;
    if (this.#isAfterReturn && text.startsWith('\n')) text = text.slice(1);
    // A return at the end of a chunk ends its line now: the parser would wait for a line feed that may never come (HTML §9.2.5).
    this.#isAfterReturn = text.endsWith('\r');
    this.#parser.feed(this.#isAfterReturn ? text.replace(/\r\n?/g, '\n') : text);
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Throws TooLargeError once a message was too long. */
  check(): void {
    if (!this.#isTooLarge) return;
    throw new TooLargeError(`the server sent a message of more than ${this.#maxMessageBytes} bytes`, {
      hint: 'Raise the limit with --max-message-size.',
    });
  }
}
