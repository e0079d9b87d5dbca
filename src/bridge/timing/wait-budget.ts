import type { Clock } from '../../platform/clock.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { isList } from '../../protocol/list-methods.ts';
import { CALL_PATIENCE_MS, LIST_PATIENCE_MS } from './limits.ts';

/** How long a request waits for a server that is not ready, in milliseconds. */
export function patienceMs(method: string, waitForSignIn: boolean): number {
  if (waitForSignIn) return Number.POSITIVE_INFINITY;
  return isList(method) ? LIST_PATIENCE_MS : CALL_PATIENCE_MS;
}

/** What a wait ends with when its time is over. */
export const OVER: unique symbol = Symbol('patience is over');

/** The time that one request may spend waiting. The server's own time to answer is not part of it. */
export class Patience {
  readonly #clock: Clock;
  readonly #signal: StopSignal;
  readonly #end: number;

  constructor(clock: Clock, ms: number, signal: StopSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#end = clock.monotonic() + ms;
  }

  /** The promise's value, or OVER when the time runs out first. Rejects with the signal's reason when the request is given up. */
  async wait<T>(promise: Promise<T>): Promise<T | typeof OVER> {
    const left = this.#end - this.#clock.monotonic();
    if (left <= 0) return OVER;
    const stop = new AbortController();
    const signal = anySignal([this.#signal, stop.signal]);
    try {
      if (left === Number.POSITIVE_INFINITY) return await Promise.race([promise, aborted(signal)]);
      const over = this.#clock.sleep(left, signal).then((): typeof OVER => OVER);
      return await Promise.race([promise, over]);
    } finally {
      stop.abort();
    }
  }

  /** Waits for `ms`, or for what is left if that is less. */
  async pause(ms: number): Promise<undefined | typeof OVER> {
    const left = this.#end - this.#clock.monotonic();
    if (left <= 0) return OVER;
    await this.#clock.sleep(Math.min(ms, left), this.#signal);
    return ms > left ? OVER : undefined;
  }
}

function aborted(signal: StopSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
