import { isUtf8 } from 'node:buffer';
import { createParser, type EventSourceParser } from 'eventsource-parser';
import type { HttpBody } from '../../platform/http/http.ts';
import { randomToken, systemRandom } from '../../platform/random.ts';
import { TooLargeError } from '../http/errors.ts';
import { LongLines } from './long-lines.ts';

type Body = AsyncIterable<Uint8Array> & Partial<Pick<HttpBody, 'whole'>>;

/** One event of a server's stream. `data` is empty if the event only carried an id (a priming event), and bytes (UTF-8) if it is long. */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string | Uint8Array;
}

/** How `readEvents` reads a stream. */
export interface EventStreamOptions {
  /** A longer message ends the stream with TooLargeError (.github/SECURITY.md, attack 16). */
  readonly maxMessageBytes: number;
  /** The server's wish for the pause before reconnecting, in milliseconds (HTML §9.2.6). */
  readonly onRetry: (ms: number) => void;
  /** Drops the data of all events other than `message`; their ids are kept as positions in the stream. */
  readonly messagesOnly?: boolean;
}

const DATA = Buffer.from('data:');
const SPACE = 0x20;
const LF = 0x0a;
const CR = 0x0d;
const LINE_FEED = Buffer.of(LF);

/** Ids are positions in a stream; a longer one is not meant to be sent back. */
const MAX_ID_CHARACTERS = 4_096;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern looks for them.
const CONTROL = /[\x00-\x1f\x7f]/;

/** Ignores an id that does not fit into a header, since it would be sent back as `Last-Event-ID` (.github/SECURITY.md, attack 22). */
function usableId(id: string | undefined): string | undefined {
  return id === undefined || id.length > MAX_ID_CHARACTERS || CONTROL.test(id) ? undefined : id;
}

/**
 * The events of a `text/event-stream` body. The next chunk is read only when all events of the last one have been taken. An event cut off by the
 * end of the stream is dropped (HTML §9.2.6). Throws TooLargeError for a message over the limit, and what the body throws.
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
  readonly #lines = new LongLines();
  /** The long lines of the event being read, by the placeholder that the parser has instead. */
  readonly #long = new Map<string, Buffer>();
  /** Part of the placeholders, so that no server can guess one. */
  #secret: string | undefined;
  #longBytes = 0;
  #events: ServerEvent[] = [];
  #isTooLarge = false;
  #isFirst = true;
  #isAfterReturn = false;

  constructor({ maxMessageBytes, onRetry, messagesOnly = false }: EventStreamOptions) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#parser = createParser({
      maxBufferSize: maxMessageBytes,
      onRetry,
      onEvent: ({ id, event, data }) => {
        const whole = this.#whole(data);
        if (messagesOnly && (event ?? 'message') !== 'message') {
          this.#events.push({ id: usableId(id), event, data: '' });
          return;
        }
        // The parser only measures its buffer; an event that arrived completely in one chunk is measured here.
        if (whole.length > maxMessageBytes) this.#isTooLarge = true;
        else if (!this.#isTooLarge) this.#events.push({ id: usableId(id), event, data: whole });
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') this.#isTooLarge = true;
      },
    });
  }

  /** The events that this chunk completes. */
  take(chunk: Uint8Array): readonly ServerEvent[] {
    for (const { isLong, bytes } of this.#lines.push(chunk)) {
      if (this.#isTooLarge) break;
      if (isLong && isData(bytes)) this.#takeData(bytes);
      else if (isUtf8(bytes)) this.#takeText(bytes.toString('utf8'));
      else this.#takeBroken(bytes);
    }
    if (Math.max(this.#lines.heldBytes - DATA.length - 1, this.#longBytes) > this.#maxMessageBytes) {
      this.#isTooLarge = true;
    }
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Throws TooLargeError if a message was too long. */
  check(): void {
    if (!this.#isTooLarge) return;
    throw new TooLargeError(`the server sent a message of more than ${this.#maxMessageBytes} bytes`, {
      hint: 'Raise the limit with --max-message-size.',
    });
  }

  /** HTML §9.2.5 replaces invalid UTF-8, which would change a message of the server; such data stays as bytes instead. */
  #takeBroken(bytes: Buffer): void {
    for (let from = 0, at = 0; at <= bytes.length; at++) {
      if (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) continue;
      const line = bytes.subarray(from, at);
      if (isData(line) && !isUtf8(line)) this.#takeData(line);
      else if (line.length > 0) this.#takeText(line.toString('utf8'));
      if (at < bytes.length) this.#takeText(bytes.toString('latin1', at, at + 1));
      from = at + 1;
    }
  }

  #takeText(text: string): void {
    // HTML §9.2.5: one leading byte order mark is not part of the stream.
    let lines = this.#isFirst && text.startsWith('\uFEFF') ? text.slice(1) : text;
    this.#isFirst = false;
    if (this.#isAfterReturn && lines.startsWith('\n')) lines = lines.slice(1);
    // A carriage return at the end of a chunk ends its line now: the parser would wait for a line feed that may never come (HTML §9.2.5).
    this.#isAfterReturn = lines.endsWith('\r');
    this.#parser.feed(this.#isAfterReturn ? lines.replace(/\r\n?/g, '\n') : lines);
  }

  /** Keeps a long `data` line as bytes and gives the parser a placeholder for it. */
  #takeData(line: Buffer): void {
    this.#secret ??= randomToken(systemRandom, 128);
    const name = `${this.#secret}.${this.#long.size}`;
    const value = line.subarray(line[DATA.length] === SPACE ? DATA.length + 1 : DATA.length);
    this.#long.set(name, value);
    this.#longBytes += value.length;
    this.#isFirst = false;
    this.#isAfterReturn = false;
    this.#parser.feed(`data:${name}`);
  }

  #whole(data: string): string | Uint8Array {
    if (this.#long.size === 0) return data;
    const long = this.#long.get(data);
    const whole = long ?? this.#joined(data);
    this.#long.clear();
    this.#longBytes = 0;
    return whole;
  }
  /** Several lines are one message, joined by line feeds (HTML §9.2.6). */
  #joined(data: string): string | Uint8Array {
    const lines = data.split('\n').map((line) => this.#long.get(line) ?? Buffer.from(line));
    const bytes = Buffer.concat(lines.flatMap((line, at) => (at === 0 ? [line] : [LINE_FEED, line])));
    return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
  }
}

function isData(line: Buffer): boolean {
  return line.subarray(0, DATA.length).equals(DATA);
}
