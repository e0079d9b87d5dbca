/** Longer waits are as good as never; it also keeps timers from overflowing. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * RFC 9110 §10.2.3: seconds or a date → milliseconds from `now`, undefined when it is neither. A server's own `Date` is the better
 * `now` for a date, as it needs no agreement between the clocks.
 */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  // Date.parse alone reads almost anything, "1.5" among it.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  // RFC 9110 §5.6.7: always GMT; the form of asctime does not say so, and would be read as our own time.
  const date = Date.parse(/[A-Z]{3}$|[+-]\d{4}$/.test(text) ? text : `${text} GMT`);
  if (Number.isNaN(date)) return undefined;
  return Math.min(Math.max(date - now, 0), MAX_RETRY_AFTER_MS);
}
