import type { StopSignal } from '../../platform/stop.ts';
import type { ServerEvent } from '../../remote/events/event-stream.ts';
import { eventOf } from './reply.ts';

/** Merges the messages of several streams for one reader. A slow reader slows the writers down. */
export class Channel {
  #queue: { readonly text: string; readonly read: () => void }[] = [];
  #wake: (() => void) | undefined;

  /** Resolves when the reader has taken the message and asks for more. */
  push(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push({ text, read: resolve });
      this.#wake?.();
    });
  }

  /** Reads until the signal aborts. */
  async *read(signal: StopSignal): AsyncGenerator<readonly ServerEvent[]> {
    const stop = () => this.#wake?.();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted) {
        const batch = this.#queue;
        this.#queue = [];
        if (batch.length > 0) yield batch.map(({ text }) => eventOf(text));
        for (const { read } of batch) read();
        if (this.#queue.length > 0 || signal.aborted) continue;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
