import type { Clock } from '../../platform/clock.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { CALL_WAIT_MS } from './limits.ts';

/** How long a message that is no list waits for a server that is not ready, in milliseconds. */
export function callWaitMs(waitForSignIn: boolean): number {
  return waitForSignIn ? Number.POSITIVE_INFINITY : CALL_WAIT_MS;
}

/** The result of a wait that timed out. */
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** How often a movable deadline is checked. It moves when a sign-in does, which is polled as often (auth/sign-in/follow.ts). */
const LOOK_MS = 250;

/** The time that one request may spend waiting. The server's own time to answer is not part of it. */
export class WaitBudget {
  readonly #clock: Clock;
  readonly #signal: StopSignal;
  readonly #end: () => number;
  readonly #lookMs: number;
  #waits = 0;

  /** `limit`: milliseconds from now, or the moment at which the time is over, on the monotonic clock; that moment may change. */
  constructor(clock: Clock, limit: number | (() => number), signal: StopSignal) {
    this.#clock = clock;
    this.#signal = signal;
    if (typeof limit === 'number') {
      const end = clock.monotonic() + limit;
      this.#end = () => end;
      this.#lookMs = Number.POSITIVE_INFINITY;
    } else {
      this.#end = limit;
      this.#lookMs = LOOK_MS;
    }
  }

  /** Whether the request is waiting now. */
  get isWaiting(): boolean {
    return this.#waits > 0;
  }

  /** The promise's value, or TIMED_OUT when the time runs out first. Rejects with the signal's reason when the request is given up. */
  async wait<T>(promise: Promise<T>): Promise<T | typeof TIMED_OUT> {
    const stop = new AbortController();
    const signal = anySignal([this.#signal, stop.signal]);
    this.#waits++;
    try {
      for (;;) {
        const left = this.#left();
        if (left <= 0) return TIMED_OUT;
        if (left === Number.POSITIVE_INFINITY) return await Promise.race([promise, aborted(signal)]);
        const over = this.#clock
          .sleep(Math.min(left, this.#lookMs), signal)
          .then((): typeof TIMED_OUT => TIMED_OUT);
        const first = await Promise.race([promise, over]);
        if (first !== TIMED_OUT) return first;
      }
    } finally {
      this.#waits--;
      stop.abort();
    }
  }

  /** Waits for `ms`, or for the remaining time if that is less. */
  async pause(ms: number): Promise<undefined | typeof TIMED_OUT> {
    const left = this.#left();
    if (left <= 0) return TIMED_OUT;
    this.#waits++;
    try {
      await this.#clock.sleep(Math.min(ms, left), this.#signal);
    } finally {
      this.#waits--;
    }
    return ms > left ? TIMED_OUT : undefined;
  }

  #left(): number {
    return this.#end() - this.#clock.monotonic();
  }
}

function aborted(signal: StopSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
