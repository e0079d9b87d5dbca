import { describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import {
  type Client,
  type CredentialRecord,
  isExpected,
  type RecordIdentity,
} from '../../store/record/record.ts';
import type { ReservationState } from '../../store/reservation/reservation.ts';
import type { HeldLock, HeldReservation, Store } from '../../store/store.ts';
import { RefreshPostponedError } from '../errors/errors.ts';
import { TokenEndpointError } from '../errors/oauth-errors.ts';
import type { TokenAnswer } from '../token/token-response.ts';
import { areUnchanged } from './claim-watch.ts';
import {
  classifyRefreshFailure,
  noteFailure,
  type RefreshDecision,
  refreshedRecord,
  type SignInReason,
} from './decisions.ts';

/** Sends the refresh token to the record's token endpoint, once, without redirects. Rejects with TokenEndpointError. */
export type SendRefreshRequest = (
  record: CredentialRecord & { readonly client: Client },
  refreshToken: string,
  signal: AbortSignal,
) => Promise<TokenAnswer>;

export interface RefreshTools {
  readonly store: Store;
  readonly key: string;
  readonly identity: RecordIdentity;
  readonly redeem: SendRefreshRequest;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly logger: Logger;
}

export type RefreshOutcome =
  /** Refreshed here, or by somebody else. */
  | { readonly kind: 'usable'; readonly record: CredentialRecord }
  | { readonly kind: 'sign-in'; readonly reason: SignInReason }
  /** Nothing is lost and nothing can be had now. */
  | { readonly kind: 'later'; readonly error: RefreshPostponedError };

/** src/README.md, "A refresh", step 6: an authorization server that has not answered by then has no more say. */
const REDEEM_TIMEOUT_MS = 30_000;

export type Refresh = Extract<RefreshDecision, { kind: 'refresh' }>;

/**
 * Steps 4 to 6. The claim is ours alone; a record that changed before we had it makes it void, and so does a sign of life of an owner
 * before us. `claims`: those by which the number was chosen.
 */
export async function redeemRefreshToken(
  held: HeldLock,
  tools: RefreshTools,
  start: Refresh,
  { number, claims }: { readonly number: number; readonly claims: readonly ReservationState[] },
): Promise<RefreshOutcome | 'again'> {
  const claim = await held.reserve(start.hash, number);
  if (claim === undefined) return 'again';
  try {
    const earlier = (await held.reservations(start.hash)).filter((other) => other.number < number);
    const again = await held.read(tools.identity);
    const isSame = again.kind === 'record' && isExpected(again.record, start.record);
    if (!isSame || !areUnchanged(claims, earlier) || !(await claim.prepare())) {
      await claim.release();
      return 'again';
    }
  } catch (error) {
    await claim.release();
    throw error;
  }
  const sentAt = tools.clock.now();
  let answer: TokenAnswer;
  try {
    answer = await tools.redeem(start.record, start.refreshToken, AbortSignal.timeout(REDEEM_TIMEOUT_MS));
  } catch (error) {
    return afterFailure(held, tools, start, claim, error);
  }
  const written = await claim
    .commit(refreshedRecord(start.record, answer, sentAt), start.record)
    .catch((error) => {
      claim.abandon();
      throw error;
    });
  if (written.kind === 'superseded') return 'again';
  tools.logger.debug('refreshed', { key: tools.key, revision: written.record.revision });
  return { kind: 'usable', record: written.record };
}

/** Step 7. */
async function afterFailure(
  held: HeldLock,
  tools: RefreshTools,
  start: Refresh,
  claim: HeldReservation,
  error: unknown,
): Promise<RefreshOutcome | 'again'> {
  const { record } = start;
  // What is no answer of the endpoint's may have come after the token had left.
  const failure = error instanceof TokenEndpointError ? error : ({ sent: 'maybe' } as const);
  const verdict = classifyRefreshFailure(failure, record.lastRefresh);
  tools.logger.warn('could not refresh the credential', {
    outcome: verdict.outcome,
    detail: describeError(error),
  });
  switch (verdict.kind) {
    case 'dead':
    case 'client-unknown': {
      const reason = verdict.kind === 'dead' ? 'refresh-token-dead' : 'client-unknown';
      try {
        return await markDead(held, tools, start, { reason, outcome: verdict.outcome });
      } finally {
        await claim.release();
      }
    }
    case 'lost':
    case 'later': {
      const refused = verdict.kind === 'later' && verdict.refused;
      const note = noteFailure(
        { outcome: verdict.outcome, refused },
        failure,
        record.lastRefresh,
        tools.clock.now(),
      );
      const { version, revision, ...rest } = record;
      try {
        await held.write({ ...rest, lastRefresh: note }, record);
      } finally {
        await (verdict.kind === 'lost' ? claim.markLost() : claim.release());
      }
      return later(verdict.outcome, (note.retryAt ?? note.at) - note.at, error);
    }
  }
}

/** Compare and set: a login or a newer record wins. The access token stays; it serves until its 401. */
async function markDead(
  held: HeldLock,
  { clock, identity }: RefreshTools,
  { record, hash }: Refresh,
  { reason, outcome }: { readonly reason: SignInReason; readonly outcome: string },
): Promise<RefreshOutcome | 'again'> {
  const again = await held.read(identity);
  if (again.kind !== 'record' || !isExpected(again.record, record)) return 'again';
  const { version, revision, client, ...rest } = record;
  const written = await held.write(
    {
      ...rest,
      deadRefreshTokenHash: hash,
      lastRefresh: { at: clock.now(), outcome },
      ...(client === undefined || reason === 'client-unknown' ? {} : { client }),
    },
    record,
  );
  if (written.kind === 'superseded') return 'again';
  await held.clearReservations(hash);
  return { kind: 'sign-in', reason };
}

export function later(outcome: string, retryAfterMs: number, cause?: unknown): RefreshOutcome {
  const seconds = Math.ceil(retryAfterMs / 1000);
  const error = new RefreshPostponedError(
    `could not refresh the credential (${outcome}); next attempt in ${seconds} s`,
    { retryAfterMs, ...(cause === undefined ? {} : { cause }) },
  );
  return { kind: 'later', error };
}
