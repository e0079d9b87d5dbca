import { Journal } from '../net/journal.ts';

export interface HeldCall {
  readonly name: string;
  readonly state: 'started' | 'released' | 'cancelled';
}

/** Calls of the `slow` tool: the server holds each until the test lets it go or the host cancels it. */
export class HeldCalls {
  readonly log = new Journal<HeldCall>();
  readonly #waiting = new Map<string, (text: string) => void>();

  hold(name: string, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const cancelled = () => {
        this.#waiting.delete(name);
        this.log.add({ name, state: 'cancelled' });
        reject(new Error(`${name} was cancelled`));
      };
      signal.addEventListener('abort', cancelled, { once: true });
      this.#waiting.set(name, (text) => {
        signal.removeEventListener('abort', cancelled);
        this.#waiting.delete(name);
        this.log.add({ name, state: 'released' });
        resolve(text);
      });
      this.log.add({ name, state: 'started' });
      if (signal.aborted) cancelled();
    });
  }

  /** Answers a call, once it has arrived. */
  async release(name: string, text = 'released'): Promise<void> {
    await this.started(name);
    this.#waiting.get(name)?.(text);
  }

  started(name: string): Promise<HeldCall> {
    return this.log.waitFor((call) => call.name === name && call.state === 'started', {
      what: `a call "${name}"`,
    });
  }

  cancelled(name: string): Promise<HeldCall> {
    return this.log.waitFor((call) => call.name === name && call.state === 'cancelled', {
      what: `the cancellation of "${name}"`,
    });
  }
}
