import { readRetryAfter } from '../../protocol/retry-after.ts';
import {
  BACKOFF_FIRST_MS,
  BACKOFF_LONGEST_MS,
  MAX_RETRY_AFTER_MS,
  RECONNECT_DEFAULT_MS,
  RECONNECT_LONGEST_MS,
  RECONNECT_SHORTEST_MS,
} from './limits.ts';

/** The pause before attempt `attempt` (1 is the first repetition): doubling, with jitter over its upper half, at most `longestMs`. */
export function backoffMs(attempt: number, fraction: number, longestMs = BACKOFF_LONGEST_MS): number {
  const full = Math.min(longestMs, BACKOFF_FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(full / 2 + (full / 2) * fraction);
}

/**
 * `Retry-After` (RFC 9110 §10.2.3), seconds or a date, as milliseconds from `now`. `undefined` where there is none that can be read; `too-long`
 * beyond what is worth waiting for.
 */
export function retryAfterMs(value: string | undefined, now: number): number | 'too-long' | undefined {
  const ms = readRetryAfter(value, now);
  return ms !== undefined && ms > MAX_RETRY_AFTER_MS ? 'too-long' : ms;
}

/** The pause before a closed event stream is opened again: the server's wish within reason. */
export function reconnectMs(wish: number | undefined): number {
  if (wish === undefined) return RECONNECT_DEFAULT_MS;
  return Math.min(RECONNECT_LONGEST_MS, Math.max(RECONNECT_SHORTEST_MS, wish));
}

/** Statuses after which asking for a stream again makes sense; any other refusal means that the server has none. */
export function mayPass(status: number): boolean {
  return status === 401 || status === 429 || status === 502 || status === 503 || status === 504;
}
