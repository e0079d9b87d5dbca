import { LockTimeoutError } from '../../store/files/store-errors.ts';
import { tokenHash } from '../../store/record/key.ts';
import type { HeldLock } from '../../store/store.ts';
import { ClaimWatch } from './claim-watch.ts';
import { decideRefresh, decideReservation, newerRecord, type Stale } from './decisions.ts';
import { later, type RefreshOutcome, type RefreshTools, redeemRefreshToken } from './spend.ts';

/** In all, for what others do: they hold the lock or a claim. */
const WAIT_MS = 30_000;
const TURN_MIN_MS = 50;
const TURN_MAX_MS = 250;
/** The access token still serves, and the refresh token is in doubt: not worth asking sooner. */
const DOUBT_MS = 5_000;

/** src/README.md, "A refresh", steps 2 to 8: of all processes that find the token stale, one spends the refresh token, once. */
export async function refreshCredential(
  tools: RefreshTools,
  stale: Stale,
  signal: AbortSignal,
): Promise<RefreshOutcome> {
  const { store, key, clock, random } = tools;
  const deadline = clock.monotonic() + WAIT_MS;
  const watch = new ClaimWatch();
  for (;;) {
    // Of many processes all but one find the work done, and need no lock to see it.
    const adopted = await adopt(tools, stale);
    if (adopted !== undefined) return adopted;
    const result = await store.withLock<RefreshOutcome | 'again'>(
      key,
      (held) => attempt(held, tools, stale, watch),
      {
        signal,
        onTurn: () => adopt(tools, stale),
      },
    );
    if (result !== 'again') return result;
    if (clock.monotonic() >= deadline) {
      throw new LockTimeoutError('another process is refreshing the credential and does not come to an end');
    }
    await clock.sleep(TURN_MIN_MS + random.fraction() * (TURN_MAX_MS - TURN_MIN_MS), signal);
  }
}

async function adopt(
  { store, key, identity, clock }: RefreshTools,
  stale: Stale,
): Promise<RefreshOutcome | undefined> {
  const record = newerRecord(await store.read(key, identity), stale, clock.now());
  return record === undefined ? undefined : { kind: 'usable', record };
}

async function attempt(
  held: HeldLock,
  tools: RefreshTools,
  stale: Stale,
  watch: ClaimWatch,
): Promise<RefreshOutcome | 'again'> {
  const now = tools.clock.now();
  const start = decideRefresh(await held.read(tools.identity), stale, now, tokenHash);
  switch (start.kind) {
    case 'adopt':
      return { kind: 'usable', record: start.record };
    case 'sign-in':
      return start;
    case 'later':
      return later(start.outcome, start.afterMs);
    case 'refresh':
  }
  const { record, hash } = start;
  const claims = watch.look(await held.reservations(hash), tools.clock.monotonic());
  const step = decideReservation(claims, record, stale, now);
  switch (step.kind) {
    case 'wait':
      return 'again';
    case 'later':
      return later('no answer', DOUBT_MS);
    case 'adopt-answer': {
      tools.logger.debug('adopting an answer that another process left', { key: tools.key });
      const { version, revision, ...answer } = step.answer;
      const written = await held.write(answer, record);
      if (written.kind === 'written') await held.clearReservations(hash);
      return 'again';
    }
    case 'claim':
      return redeemRefreshToken(held, tools, start, { number: step.number, claims });
  }
}
