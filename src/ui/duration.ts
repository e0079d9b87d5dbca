const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration in milliseconds as text, in its two largest units: `2 d 3 h`, `41 min`, `8 s`. A negative one counts as zero. */
export function duration(ms: number): string {
  const left = Math.max(0, ms);
  if (left >= DAY_MS) return two(left, DAY_MS, 'd', HOUR_MS, 'h');
  if (left >= HOUR_MS) return two(left, HOUR_MS, 'h', MINUTE_MS, 'min');
  if (left >= MINUTE_MS) return `${Math.floor(left / MINUTE_MS)} min`;
  return `${Math.floor(left / SECOND_MS)} s`;
}

function two(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}
