import type { ServerEvent } from './event-stream.ts';

type Step = IteratorResult<readonly ServerEvent[]>;
const DONE: Step = { done: true, value: undefined };

/**
 * Passes events from a stream to a reader, one at a time. An event counts as processed when its reader asks for the next one. So events that one
 * stream brings for many readers are still processed in the order of the stream, and a slow reader slows the stream down.
 */
export class EventChannel {
  #offered: { readonly event: ServerEvent; readonly taken: () => void } | undefined;
  #reader: Reader | undefined;
  #closed = false;
  #failure: unknown;
  #arrived: () => void = () => {};
  /** Resolves with the first event, or when there will be none. */
  readonly arrived = new Promise<void>((resolve) => {
    this.#arrived = resolve;
  });

  /** Resolves when the event has been processed; only then may the next one be put. */
  put(event: ServerEvent): Promise<void> {
    this.#arrived();
    if (this.#closed) return Promise.resolve();
    return new Promise((taken) => {
      this.#offered = { event, taken };
      this.#reader?.wake();
    });
  }

  /** Ends the channel; with `failure`, reading fails with it. */
  close(failure?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = failure;
    this.#arrived();
    this.#offered?.taken();
    this.#offered = undefined;
    this.#reader?.wake();
  }

  /** Starts a new reader; an earlier reader gets no more events. No event is lost when a reader leaves: the next one continues. */
  read(): AsyncIterable<readonly ServerEvent[]> {
    const before = this.#reader;
    const reader = new Reader((own) => this.#next(own));
    this.#reader = reader;
    before?.wake();
    return { [Symbol.asyncIterator]: () => reader };
  }

  /** The next step for this reader; undefined if it has to wait. */
  #next(reader: Reader): Step | { readonly failure: unknown } | undefined {
    if (reader !== this.#reader) return DONE;
    if (this.#offered !== undefined) {
      const { event, taken } = this.#offered;
      this.#offered = undefined;
      reader.taken = taken;
      return { done: false, value: [event] };
    }
    if (!this.#closed) return undefined;
    return this.#failure === undefined ? DONE : { failure: this.#failure };
  }
}

class Reader implements AsyncIterator<readonly ServerEvent[]> {
  /** Tells the stream that the current event has been processed. */
  taken: (() => void) | undefined;
  readonly #ask: (own: Reader) => Step | { readonly failure: unknown } | undefined;
  #waiting:
    | { readonly resolve: (step: Step) => void; readonly reject: (reason: unknown) => void }
    | undefined;
  #left = false;

  constructor(ask: (own: Reader) => Step | { readonly failure: unknown } | undefined) {
    this.#ask = ask;
  }

  next(): Promise<Step> {
    this.#dealtWith();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.wake();
    });
  }

  async return(): Promise<Step> {
    this.#left = true;
    this.#dealtWith();
    return DONE;
  }

  wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#left) return;
    const step = this.#ask(this);
    if (step === undefined) return;
    this.#waiting = undefined;
    if ('failure' in step) waiting.reject(step.failure);
    else waiting.resolve(step);
  }

  #dealtWith(): void {
    this.taken?.();
    this.taken = undefined;
  }
}
