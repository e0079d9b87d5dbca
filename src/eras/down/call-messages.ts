import { DrawbridgeError } from '../../errors.ts';
import { HttpError } from '../../platform/http/http.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import type { Reply } from '../../remote/transport/transport.ts';
import { messagesIn, type Received, received } from '../message/reply.ts';

/** Resumes a stream after this event; undefined if the server refuses. */
export type Resume = (lastEventId: string, retryMs: number | undefined) => Promise<Reply | undefined>;

/**
 * The messages of a legacy server about one call: those on the stream that answers it, which is resumed when it breaks (specification 2025-11-25,
 * Transports → Resumability and Redelivery), and those from other streams that belong to the call.
 */
export class CallMessages {
  readonly #messages: AsyncGenerator<Received>;
  #injected: Received[] = [];
  /** Messages that were read ahead. */
  readonly #ahead: Received[] = [];
  #reading: Promise<void> | undefined;
  #end: { readonly failure?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(reply: Promise<Reply>, resume: Resume) {
    this.#messages = readMessages(reply, resume);
  }

  /** Puts a message from another stream before those still to come. */
  inject(message: Received): void {
    this.#injected.push(message);
    this.#wake?.();
  }

  /** Resolves when there is an injected message that has not been read. */
  injected(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#injected.length > 0) resolve();
      else this.#wake = resolve;
    });
  }

  /** Reads to the end and discards the messages: unread ones would block those after them on the same connection. */
  async drain(): Promise<void> {
    try {
      while ((await this.next()) !== undefined);
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
    }
  }

  /**
   * Reads while nobody calls `next`: the answer may arrive nevertheless, and unread it would block the messages after it on the same
   * connection.
   */
  async readAhead(): Promise<void> {
    while (this.#end === undefined && this.#ahead.length < MAX_READ_AHEAD) await this.#read();
  }

  /** The next message; undefined at the end. The stream stays open while nobody calls this. */
  async next(): Promise<Received | undefined> {
    for (;;) {
      const message = this.#injected.shift() ?? this.#ahead.shift();
      if (message !== undefined) return message;
      if (this.#end !== undefined) {
        if ('failure' in this.#end) throw this.#end.failure;
        return undefined;
      }
      await Promise.race([this.#read(), this.injected()]);
    }
  }

  /** Never rejects: a failure is kept for the next call of `next`, and while the call is suspended there is none. */
  #read(): Promise<void> {
    this.#reading ??= this.#messages
      .next()
      .then(
        (step) => {
          if (step.done) this.#end = {};
          else this.#ahead.push(step.value);
        },
        (failure: unknown) => {
          this.#end = { failure };
        },
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }
}

/** Enough for an answer and for the end of the stream after it, without which the event does not count as processed. */
const MAX_READ_AHEAD = 2;

async function* readMessages(first: Promise<Reply>, resume: Resume): AsyncGenerator<Received> {
  let reply: Reply | undefined = await first;
  if (reply.kind === 'message') yield* received(reply.json);
  let lastEventId: string | undefined;
  // Like `messagesOf`: an invalid event does not end the call, since the next one may be the answer.
  let failure: BadAnswerError | undefined;
  while (reply?.kind === 'events') {
    try {
      for await (const events of reply.events) {
        for (const event of events) {
          lastEventId = event.id ?? lastEventId;
          const read = messagesIn(event);
          if (read instanceof BadAnswerError) failure ??= read;
          else yield* read;
        }
      }
    } catch (error) {
      if (!(error instanceof HttpError) || lastEventId === undefined) throw error;
    }
    if (lastEventId === undefined) break;
    reply = await resume(lastEventId, reply.retryMs());
  }
  if (failure !== undefined) throw failure;
}
