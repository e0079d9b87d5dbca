import type { Tokens } from '../../store/record/record.ts';

/** A token is replaced ahead of its expiry by no more than a request may take. */
const MAX_AHEAD_MS = 60_000;
const AHEAD_SHARE = 0.1;
/** Clocks of two machines differ by about that much. */
const MIN_AHEAD_MS = 1_000;
/** Whatever its lifetime, a token is used for at least half of it: otherwise each request would refresh. */
const MAX_AHEAD_SHARE = 0.5;

/** `due`: the token serves, and should be replaced in the background. `expired`: replace it first, and send it only if that fails. */
export type Freshness = 'fresh' | 'due' | 'expired';

/**
 * The wall clock may be wrong, and all processes that read the record share it. Set forward, it costs one refresh, whose times are right
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
