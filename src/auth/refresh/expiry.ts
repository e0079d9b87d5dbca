import type { Tokens } from '../../store/record/record.ts';

/** How long before its expiry a token is replaced. */
export interface Ahead {
  /** In milliseconds, at most; a tenth of the token's lifetime where that is less. */
  readonly maxMs: number;
  /** This process's share of that time: each process has another one, if many would otherwise begin at the same moment. */
  readonly share: number;
}

/** If logins are files, a token is replaced no earlier before its expiry than a request may take. */
const AHEAD: Ahead = { maxMs: 60_000, share: 1 };
const AHEAD_SHARE = 0.1;
/** The clocks of two machines differ by about this much. */
const MIN_AHEAD_MS = 1_000;
/** Whatever its lifetime, a token is used for at least half of it: otherwise every request would refresh. */
const MAX_AHEAD_SHARE = 0.5;

/** `due`: the token is valid, and should be replaced in the background. `expired`: replace it first, and send it only if that fails. */
export type Freshness = 'fresh' | 'due' | 'expired';

/**
 * The wall clock may be wrong, and all processes that read the record share it. Set ahead, it costs one refresh, whose times are right by the same clock. Set
 * back, the token seems to come from the future: its age is unknown, so it is used until a 401.
 */
export function freshness(
  tokens: Pick<Tokens, 'obtainedAt' | 'expiresAt'>,
  now: number,
  ahead = AHEAD,
): Freshness {
  const { obtainedAt, expiresAt } = tokens;
  if (expiresAt === undefined) return 'fresh';
  const lifetimeMs = expiresAt - obtainedAt;
  if (lifetimeMs <= 0 || now < obtainedAt) return 'fresh';
  if (now >= expiresAt) return 'expired';
  return now >= expiresAt - aheadMs(lifetimeMs, ahead) ? 'due' : 'fresh';
}

export function aheadMs(lifetimeMs: number, { maxMs, share } = AHEAD): number {
  const wanted = Math.max(MIN_AHEAD_MS, Math.min(maxMs, lifetimeMs * AHEAD_SHARE) * share);
  return Math.min(wanted, lifetimeMs * MAX_AHEAD_SHARE);
}
