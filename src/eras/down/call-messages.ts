import { DrawbridgeError } from '../../errors.ts';
import { HttpError } from '../../platform/http/http.ts';
import { reconnectMs } from '../../remote/http/backoff.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import type { Reply } from '../../remote/transport/transport.ts';
import { messagesIn, type Received, received } from '../message/reply.ts';

/** Takes a stream up again after this event; undefined where the server will not. */
export type Resume = (lastEventId: string, afterMs: number) => Promise<Reply | undefined>;

/**
 * What a legacy server says about one call: on the stream that answers it, taken up again when it breaks (specification 2025-11-25, Transports →
 * Resumability and Redelivery), and what was said elsewhere and belongs to it.
 */
export class CallMessages {
  readonly #messages: AsyncGenerator<Received>;
  #injected: Received[] = [];
  /** Read, and not asked for yet. */
  readonly #ahead: Received[] = [];
  #reading: Promise<void> | undefined;
  #end: { readonly failure?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(reply: Promise<Reply>, resume: Resume) {
    this.#messages = readMessages(reply, resume);
  }

  /** Puts a message in front of what is still to come. */
  inject(message: Received): void {
    this.#injected.push(message);
    this.#wake?.();
  }

  /** Resolves when something was injected that nobody has read. */
  injected(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#injected.length > 0) resolve();
      else this.#wake = resolve;
    });
  }

  /** Reads to the end, for nobody: what is left standing would hold up what comes after it on the same connection. */
  async drain(): Promise<void> {
    try {
      while ((await this.next()) !== undefined);
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
    }
  }

  /** For the time in which nobody asks: the answer may come all the same, and would hold up what comes after it on the same connection. */
  async readAhead(): Promise<void> {
    while (this.#end === undefined && this.#ahead.length < MAX_READ_AHEAD) await this.#read();
  }

  /** The next message; undefined at the end. One who stops asking leaves the stream open. */
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

  /** Never rejects: whoever asks next is told, and while the call is parked nobody does. */
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

/** An answer and the end that follows it, without which an event does not count as dealt with. */
const MAX_READ_AHEAD = 2;

async function* readMessages(first: Promise<Reply>, resume: Resume): AsyncGenerator<Received> {
  let reply: Reply | undefined = await first;
  if (reply.kind === 'message') yield* received(reply.json);
  let lastEventId: string | undefined;
  // As `messagesOf`: the next event may be the answer.
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
    reply = await resume(lastEventId, reconnectMs(reply.retryMs()));
  }
  if (failure !== undefined) throw failure;
}
