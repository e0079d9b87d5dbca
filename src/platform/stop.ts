import { setMaxListeners } from 'node:events';

/** The part of `AbortSignal` that relaying a message uses; every `AbortSignal` is a `StopSignal`. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A light `AbortController`, for use with every message: Node's comes with an event target, which costs each call some microseconds and is
 * hardly ever used. Each listener is called once.
 */
export class Stop {
  readonly signal: StopSignal = new Listeners();

  /** Aborts the signal; without a `reason`, with an AbortError. */
  abort(reason?: unknown): void {
    (this.signal as Listeners).abort(reason ?? new DOMException('This operation was aborted', 'AbortError'));
  }
}

class Listeners implements StopSignal {
  aborted = false;
  reason: unknown;
  #listeners: (() => void)[] = [];

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at !== -1) this.#listeners.splice(at, 1);
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}

const converted = new WeakMap<StopSignal, AbortSignal>();

/**
 * Converts to an `AbortSignal`, for functions that accept nothing else. A signal is converted once, since a long request, such as a
 * subscription, needs it for each of its waits.
 */
export function abortSignal(signal: StopSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  if (signal.aborted) return AbortSignal.abort(signal.reason);
  const known = converted.get(signal);
  if (known !== undefined) return known;
  const controller = new AbortController();
  // Node's warning about the number of listeners would go to stderr.
  setMaxListeners(0, controller.signal);
  signal.addEventListener('abort', () => controller.abort(signal.reason));
  converted.set(signal, controller.signal);
  return controller.signal;
}

/** A signal that aborts with the first of `signals`. */
export function anySignal(signals: readonly StopSignal[]): AbortSignal {
  return AbortSignal.any(signals.map(abortSignal));
}
