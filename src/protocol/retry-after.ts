/** Nobody waits longer; the limit also keeps timers from overflowing. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Reads `Retry-After` (RFC 9110 §10.2.3), in seconds or as a date. Returns milliseconds from `now`, or undefined if it is neither. For a
 * date, pass the `Date` of the response as `now`, so that the clocks need not agree.
 */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  // Date.parse accepts almost anything, even "1.5".
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  // RFC 9110 §5.6.7: always GMT. The asctime format has no zone and would be read as local time. Some servers write `+0200`.
  const date = Date.parse(/[+-]\d{4}$/.test(text) ? text : `${text} GMT`);
  if (Number.isNaN(date)) return undefined;
  return Math.min(Math.max(date - now, 0), MAX_RETRY_AFTER_MS);
}
