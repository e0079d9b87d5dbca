import type { Clock } from '../../platform/clock.ts';
import { HttpError } from '../../platform/http/http.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';

export interface TimeLimit {
  readonly clock: Clock;
  readonly ms: number;
  /** Ends the wait before the limit does. */
  readonly signal: StopSignal;
  /** For the log and the person: what did not arrive. */
  readonly what: string;
  /** False where what did not come is not the answer to the message that the caller has to send. */
  readonly sent?: boolean;
}

/**
 * Runs `work` with a signal that aborts with the caller's or at the limit, and rejects then, even if `work` does not heed it. What `work` left
 * open when it was done in time (the rest of a stream) goes on under the caller's signal alone: no timer is left.
 */
export function withinTimeLimit<T>(
  { clock, ms, signal, what, sent = true }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = new AbortController();
  const stop = anySignal([signal, late.signal]);
  return new Promise<T>((resolve, reject) => {
    const giveUp = () => reject(stop.reason);
    const done = () => {
      timer.abort();
      stop.removeEventListener('abort', giveUp);
    };
    if (stop.aborted) return giveUp();
    stop.addEventListener('abort', giveUp, { once: true });
    clock.sleep(ms, timer.signal).then(
      () => late.abort(new HttpError('timeout', `${what} did not come within ${ms / 1000} s`, { sent })),
      // The sleep was cancelled: the work is done.
      () => undefined,
    );
    work(stop).then(resolve, reject).finally(done);
  });
}
