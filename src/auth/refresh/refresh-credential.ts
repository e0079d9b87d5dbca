import { describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import { LockTimeoutError, StoreAwayError } from '../../store/files/store-errors.ts';
import { TURN_MAX_MS, TURN_MIN_MS, WAIT_MS } from '../../store/lock/limits.ts';
import type { HeldReservation, LockedRecord, Store } from '../../store/port/store.ts';
import { tokenHash } from '../../store/record/key.ts';
import {
  type Client,
  type CredentialRecord,
  isExpected,
  type RecordIdentity,
} from '../../store/record/record.ts';
import type { ReservationState } from '../../store/reservation/reservation.ts';
import { RefreshPostponedError } from '../errors/errors.ts';
import { TokenEndpointError } from '../errors/oauth-errors.ts';
import type { TokenAnswer } from '../token/token-response.ts';
import {
  classifyRefreshFailure,
  decideRefresh,
  decideReservation,
  type Failure,
  newerRecord,
  noteFailure,
  type RefreshDecision,
  refreshedRecord,
  type SignInReason,
  type Stale,
} from './decisions.ts';
import { areUnchanged, ReservationWatch } from './reservation-watch.ts';

/**
 * Sends the refresh token to the record's token endpoint: one POST, without following redirects. Rejects with TokenEndpointError, whose
 * `sent` says whether the token may have left.
 */
export type SendRefreshRequest = (
  record: CredentialRecord & { readonly client: Client },
  refreshToken: string,
  signal: AbortSignal,
) => Promise<TokenAnswer>;

export interface RefreshDeps {
  readonly store: Store;
  readonly key: string;
  readonly identity: RecordIdentity;
  readonly sendRefreshRequest: SendRefreshRequest;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly logger: Logger;
}

export type RefreshOutcome =
  /** Refreshed by this process or by another one. */
  | { readonly kind: 'usable'; readonly record: CredentialRecord }
  | { readonly kind: 'sign-in'; readonly reason: SignInReason }
  /** The refresh token is unaffected, or in doubt; it is not sent again before the error's `retryAfterMs` have passed. */
  | { readonly kind: 'postponed'; readonly error: RefreshPostponedError | StoreAwayError };

/** Another process was faster, or may still be refreshing: start again from step 2. */
export const LOOK_AGAIN = 'look-again';

/** How long to wait for the authorization server. */
const REFRESH_REQUEST_TIMEOUT_MS = 30_000;
/** The access token is still valid, and the refresh token is in doubt: an earlier attempt would not help. */
const DOUBT_MS = 5_000;

/**
 * Replaces a stale access token. Of all processes that find it stale, one sends the refresh token, and sends it once; the others take
 * what that one stores. The steps:
 *
 *  1. Wait for the credential's lock; while waiting, look whether another process has replaced the token.
 *  2. Read the record under the lock, and decide whether a refresh is possible at all (`decideRefresh`).
 *  3. Look at the reservations of this refresh token, and decide whose turn it is (`decideReservation`).
 *  4. Reserve the refresh token: the file is created with O_EXCL, so two processes that both hold the lock cannot both get it.
 *  5. Send one refresh request (RFC 6749 §6).
 *  6. Commit the response, or settle the failure (`classifyRefreshFailure`).
 *
 * The lock only queues. The reservation decides, so a lock that was taken over from a suspended process does no harm.
 *
 * An engine that is away postpones the refresh: a token is never sent without a reservation that the others can see.
 *
 * Rejects with LockTimeoutError, StoreError, or the signal's reason. The signal ends waiting; a request that was sent is never aborted.
 */
export async function refreshCredential(
  deps: RefreshDeps,
  stale: Stale,
  signal: AbortSignal,
): Promise<RefreshOutcome> {
  try {
    return await refreshInTurn(deps, stale, signal);
  } catch (error) {
    if (error instanceof StoreAwayError) return { kind: 'postponed', error };
    throw error;
  }
}

async function refreshInTurn(deps: RefreshDeps, stale: Stale, signal: AbortSignal): Promise<RefreshOutcome> {
  const { store, key, identity, clock, random } = deps;
  const deadline = clock.monotonic() + WAIT_MS;
  const watch = new ReservationWatch();
  const findNewer = async (): Promise<RefreshOutcome | undefined> => {
    const record = newerRecord(await store.read(key, identity), stale, clock.now());
    return record === undefined ? undefined : { kind: 'usable', record };
  };
  for (;;) {
    const outcome = await store.withLock<RefreshOutcome | typeof LOOK_AGAIN>(
      key,
      (locked) => refreshUnderLock(locked, deps, stale, watch),
      { signal, onTurn: findNewer },
    );
    if (outcome !== LOOK_AGAIN) return outcome;
    if (clock.monotonic() >= deadline) {
      throw new LockTimeoutError('another process is refreshing the credential and has not finished in time');
    }
    if (store.changed !== undefined) await store.changed(key, signal);
    else await clock.sleep(TURN_MIN_MS + random.fraction() * (TURN_MAX_MS - TURN_MIN_MS), signal);
    // Many processes wait for one: most of them see its result here, without queueing for the lock.
    const newer = await findNewer();
    if (newer !== undefined) return newer;
  }
}

/** Steps 2 to 6, once. */
export async function refreshUnderLock(
  locked: LockedRecord,
  deps: RefreshDeps,
  stale: Stale,
  watch: ReservationWatch,
): Promise<RefreshOutcome | typeof LOOK_AGAIN> {
  const { clock, identity, logger, key } = deps;

  // 2. The record may have been replaced since it was read before the lock.
  const now = clock.now();
  const decision = decideRefresh(await locked.read(identity), stale, now, tokenHash);
  if (decision.kind === 'postponed') return postponed(decision.outcome, decision.afterMs);
  if (decision.kind !== 'refresh') return decision;
  const { record, refreshToken, hash } = decision;

  // 3.
  const heldBackMs = (await locked.heldBackMs?.()) ?? 0;
  if (heldBackMs > 0) return postponed('the store may have lost who else was at it', heldBackMs);
  const seen = watch.observe(await locked.reservations(hash), clock.monotonic());
  const turn = decideReservation(seen, record, stale, now);
  if (turn.kind === 'wait') return LOOK_AGAIN;
  if (turn.kind === 'postponed') return postponed('no answer', DOUBT_MS);
  if (turn.kind === 'adopt-response') {
    await adoptResponse(locked, deps, decision, turn.response);
    return LOOK_AGAIN;
  }

  // 4.
  const reservation = await reserve(locked, deps, decision, { number: turn.number, seen });
  if (reservation === undefined) return LOOK_AGAIN;

  // 5. From here on the token may have been used. The time before the request, so that the new token is never thought younger than it is.
  const sentAt = clock.now();
  const response = await send(deps, record, refreshToken);
  if (response.kind === 'failed') return settle(locked, deps, decision, reservation, response);

  // 6. A login or logout made meanwhile wins: then nothing is written.
  const written = await reservation
    .commit(refreshedRecord(record, response.tokens, sentAt), record)
    .catch((error: unknown) => {
      reservation.abandon();
      throw error;
    });
  if (written.kind === 'superseded') return LOOK_AGAIN;
  if (written.kind === 'kept') logger.warn('refreshed; the shared store is away and gets it later', { key });
  logger.debug('refreshed', { key, revision: written.record.revision });
  return { kind: 'usable', record: written.record };
}

type Refresh = Extract<RefreshDecision, { kind: 'refresh' }>;

/** Step 3: a process that died, or is suspended, had received the response and had not stored it as the record. */
async function adoptResponse(
  locked: LockedRecord,
  { logger, key }: RefreshDeps,
  { record, hash }: Refresh,
  response: CredentialRecord,
): Promise<void> {
  logger.debug('adopting a response that another process left', { key });
  const { version, revision, ...rest } = response;
  const written = await locked.write(rest, record);
  if (written.kind === 'written') await locked.clearReservations(hash);
}

/**
 * Step 4. Undefined: it is not this process's turn after all. `seen`: the reservations that determined the number. The record is read once more after the
 * reservation exists: a process that held the lock before us may have replaced the refresh token and removed its reservations in between, which would free the
 * number. An owner that was presumed dead may have shown a sign of life.
 */
async function reserve(
  locked: LockedRecord,
  { identity }: RefreshDeps,
  { record, hash }: Refresh,
  { number, seen }: { readonly number: number; readonly seen: readonly ReservationState[] },
): Promise<HeldReservation | undefined> {
  const reservation = await locked.reserve(hash, number);
  if (reservation === undefined) return undefined;
  try {
    const earlier = (await locked.reservations(hash)).filter((other) => other.number < number);
    const current = await locked.read(identity);
    const isSame = current.kind === 'record' && isExpected(current.record, record);
    if (isSame && areUnchanged(seen, earlier) && (await reservation.prepare())) return reservation;
  } catch (error) {
    await reservation.release();
    throw error;
  }
  await reservation.release();
  return undefined;
}

type Response =
  | { readonly kind: 'tokens'; readonly tokens: TokenAnswer }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly error: unknown };

/** Step 5. */
async function send(
  { sendRefreshRequest }: RefreshDeps,
  record: Refresh['record'],
  refreshToken: string,
): Promise<Response> {
  try {
    const timeout = AbortSignal.timeout(REFRESH_REQUEST_TIMEOUT_MS);
    return { kind: 'tokens', tokens: await sendRefreshRequest(record, refreshToken, timeout) };
  } catch (error) {
    // An error that is not the endpoint's own answer may have occurred after the token was sent.
    const failure = error instanceof TokenEndpointError ? error : ({ sent: 'maybe' } as const);
    return { kind: 'failed', failure, error };
  }
}

/** Step 6, after a failure: notes in the record what every process has to know, and ends the reservation. */
async function settle(
  locked: LockedRecord,
  { clock, logger }: RefreshDeps,
  { record, hash }: Refresh,
  reservation: HeldReservation,
  { failure, error }: Extract<Response, { kind: 'failed' }>,
): Promise<RefreshOutcome | typeof LOOK_AGAIN> {
  const { version, revision, client, ...rest } = record;
  const verdict = classifyRefreshFailure(failure, record.lastRefresh);
  const { outcome } = verdict;
  logger.warn('could not refresh the credential', { outcome, detail: describeError(error) });
  switch (verdict.kind) {
    case 'dead':
    case 'client-unknown': {
      // The access token stays: it is used until its 401.
      const isClientKnown = verdict.kind === 'dead';
      const lastRefresh = { at: clock.now(), outcome };
      const known = isClientKnown ? { ...rest, client } : rest;
      const dead = { ...known, deadRefreshTokenHash: hash, lastRefresh };
      try {
        const written = await locked.write(dead, record);
        if (written.kind === 'superseded') return LOOK_AGAIN;
        await locked.clearReservations(hash);
      } finally {
        await reservation.release();
      }
      return { kind: 'sign-in', reason: isClientKnown ? 'refresh-token-dead' : 'client-unknown' };
    }
    case 'ambiguous':
    case 'postponed': {
      const refused = verdict.kind === 'postponed' && verdict.refused;
      const lastRefresh = noteFailure({ outcome, refused }, failure, record.lastRefresh, clock.now());
      try {
        await locked.write({ ...rest, client, lastRefresh }, record);
      } finally {
        await (verdict.kind === 'ambiguous' ? reservation.markAmbiguous() : reservation.release());
      }
      return postponed(outcome, (lastRefresh.retryAt ?? lastRefresh.at) - lastRefresh.at, error);
    }
  }
}

function postponed(outcome: string, retryAfterMs: number, cause?: unknown): RefreshOutcome {
  const seconds = Math.ceil(retryAfterMs / 1000);
  const error = new RefreshPostponedError(
    `could not refresh the credential (${outcome}); next attempt in ${seconds} s`,
    { retryAfterMs, cause },
  );
  return { kind: 'postponed', error };
}
