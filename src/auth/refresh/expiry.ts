import type { Tokens } from '../../store/record/record.ts';

/** Ahead of expiry by no more than a request may be under way. */
const MAX_AHEAD_MS = 60_000;
const AHEAD_SHARE = 0.1;
/** Clocks of two machines differ by about that much. */
const MIN_AHEAD_MS = 1_000;
/** A token must be of use for longer than it is not, whatever its lifetime: else each request would refresh. */
const MAX_AHEAD_SHARE = 0.5;

/** `due`: it serves, and should be replaced beside that. `expired`: replace it first, and send it only if that fails. */
export type Freshness = 'fresh' | 'due' | 'expired';

/**
 * The wall clock may be wrong, and is shared by all who read the record. Set forward, it costs one refresh, whose times are right
 * by the same clock. Set back, the token seems to come from the future: how old it is cannot be known, so it is used until a 401.
 */
export function freshness(tokens: Pick<Tokens, 'obtainedAt' | 'expiresAt'>, now: number): Freshness {
  const { obtainedAt, expiresAt } = tokens;
  if (expiresAt === undefined) return 'fresh';
  const lifetimeMs = expiresAt - obtainedAt;
  if (lifetimeMs <= 0 || now < obtainedAt) return 'fresh';
  if (now >= expiresAt) return 'expired';
  return now >= expiresAt - aheadMs(lifetimeMs) ? 'due' : 'fresh';
}

export function aheadMs(lifetimeMs: number): number {
  const wanted = Math.max(MIN_AHEAD_MS, Math.min(MAX_AHEAD_MS, lifetimeMs * AHEAD_SHARE));
  return Math.min(wanted, lifetimeMs * MAX_AHEAD_SHARE);
}
