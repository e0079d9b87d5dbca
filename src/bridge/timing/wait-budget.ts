import type { Clock } from '../../platform/clock.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { isListMethod } from '../../protocol/list-methods.ts';
import { CALL_WAIT_MS, LIST_WAIT_MS } from './limits.ts';

/** How long a request waits for a server that is not ready, in milliseconds. */
export function waitLimitMs(method: string, waitForSignIn: boolean): number {
  if (waitForSignIn) return Number.POSITIVE_INFINITY;
  return isListMethod(method) ? LIST_WAIT_MS : CALL_WAIT_MS;
}

/** What a wait ends with when its time is over. */
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** The time that one request may spend waiting. The server's own time to answer is not part of it. */
export class WaitBudget {
  readonly #clock: Clock;
  readonly #signal: StopSignal;
  readonly #end: number;

  constructor(clock: Clock, ms: number, signal: StopSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#end = clock.monotonic() + ms;
  }

  /** The promise's value, or TIMED_OUT when the time runs out first. Rejects with the signal's reason when the request is given up. */
  async wait<T>(promise: Promise<T>): Promise<T | typeof TIMED_OUT> {
    const left = this.#end - this.#clock.monotonic();
    if (left <= 0) return TIMED_OUT;
    const stop = new AbortController();
    const signal = anySignal([this.#signal, stop.signal]);
    try {
      if (left === Number.POSITIVE_INFINITY) return await Promise.race([promise, aborted(signal)]);
      const over = this.#clock.sleep(left, signal).then((): typeof TIMED_OUT => TIMED_OUT);
      return await Promise.race([promise, over]);
    } finally {
      stop.abort();
    }
  }

  /** Waits for `ms`, or for what is left if that is less. */
  async pause(ms: number): Promise<undefined | typeof TIMED_OUT> {
    const left = this.#end - this.#clock.monotonic();
    if (left <= 0) return TIMED_OUT;
    await this.#clock.sleep(Math.min(ms, left), this.#signal);
    return ms > left ? TIMED_OUT : undefined;
  }
}

function aborted(signal: StopSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
