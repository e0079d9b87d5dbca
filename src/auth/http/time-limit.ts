import { AbortedError, DrawbridgeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { AnswerTimeoutError } from '../errors/oauth-errors.ts';

export interface TimeLimit {
  readonly ms: number;
  /** For the person: what did not answer. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
}

/** Runs with a signal that aborts at the limit or with the caller's; in both cases its reason is a DrawbridgeError. Leaves no timer. */
export async function withTimeLimit<T>(
  limit: TimeLimit,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { ms, what, signal, clock } = limit;
  const stop = new AbortController();
  const timer = new AbortController();
  const giveUp = () => stop.abort(asExpected(signal?.reason));
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  clock.sleep(ms, timer.signal).then(
    () => stop.abort(new AnswerTimeoutError(`${what} did not answer within ${ms / 1000} s`)),
    // The sleep was cancelled: the work is done.
    () => undefined,
  );
  try {
    return await run(stop.signal);
  } finally {
    timer.abort();
    signal?.removeEventListener('abort', giveUp);
  }
}

function asExpected(reason: unknown): DrawbridgeError {
  return reason instanceof DrawbridgeError ? reason : new AbortedError('given up', { cause: reason });
}
