import type { HttpBody } from './http.ts';

/**
 * A response's body between undici's callbacks and a reader; data that the reader does not take stays in the socket. Undici pauses a
 * connection when `push` returns false and continues when `resume` is called.
 */
export class ResponseBody implements HttpBody {
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #ended = false;
  #failure: unknown;
  #waiting:
    | { resolve: (step: IteratorResult<Uint8Array>) => void; reject: (reason: unknown) => void }
    | undefined;
  readonly #resume: () => void;
  readonly #giveUp: () => void;

  constructor(resume: () => void, giveUp: () => void) {
    this.#resume = resume;
    this.#giveUp = giveUp;
  }

  /** Takes a chunk from the connection; false asks it to pause. */
  push(chunk: Uint8Array): boolean {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      return true;
    }
    this.#chunks.push(chunk);
    this.#queuedBytes += chunk.length;
    return this.#queuedBytes < MAX_QUEUED_BYTES;
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#ended = true;
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  whole(): readonly Uint8Array[] | undefined {
    if (!this.#ended || this.#failure !== undefined) return undefined;
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next(), return: async () => this.#stop() };
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      const wasFull = this.#queuedBytes >= MAX_QUEUED_BYTES;
      this.#queuedBytes -= chunk.length;
      if (wasFull && this.#queuedBytes < MAX_QUEUED_BYTES) this.#resume();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #stop(): IteratorResult<Uint8Array> {
    if (!this.#ended) this.#giveUp();
    this.#ended = true;
    this.#chunks = [];
    return { done: true, value: undefined };
  }
}

/** Bytes held for a busy reader: about one read from the socket, so that a slow host slows the server down instead of filling our memory. */
const MAX_QUEUED_BYTES = 64 * 1024;
