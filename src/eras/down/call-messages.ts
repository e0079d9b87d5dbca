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
export class MessageSource {
  readonly #messages: AsyncGenerator<Received>;
  #next: Promise<IteratorResult<Received>> | undefined;
  #injected: Received[] = [];
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

  /** The next message; undefined at the end. One who stops asking leaves the stream open. */
  async next(): Promise<Received | undefined> {
    for (;;) {
      const message = this.#injected.shift();
      if (message !== undefined) return message;
      if (this.#next === undefined) {
        this.#next = this.#messages.next();
        // Whoever asks next is told; while the call is parked nobody does.
        this.#next.catch(() => {});
      }
      const step = await Promise.race([this.#next, this.injected()]);
      if (step === undefined) continue;
      this.#next = undefined;
      return step.done ? undefined : step.value;
    }
  }
}

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
