import type { SignInStatus } from '../../lease/sign-in-status.ts';
import type { CredentialRecord } from '../../record/record.ts';

/** Two measurements differ by their network delays; a clock that was set differs by more. */
const STEADY_MS = 1_000;

/**
 * How far this machine's clock is ahead of the engine's, in milliseconds. `before`: the last measurement, which is kept while it is right, so that a record
 * that is read twice has the same times.
 */
export function clockOffset(before: number | undefined, localNow: number, engineNow: number): number {
  const measured = localNow - engineNow;
  return before !== undefined && Math.abs(measured - before) < STEADY_MS ? before : measured;
}

/**
 * The record with its times by another clock that is ahead by this many milliseconds: the offset when reading, its negative when writing. So a machine whose
 * clock is a day off still knows how long a token is valid.
 */
export function shiftRecord<R extends Omit<CredentialRecord, 'revision' | 'version'>>(
  record: R,
  byMs: number,
): R {
  const shift = shifter(byMs);
  const { tokens, lastRefresh, stepUps } = record;
  return {
    ...record,
    ...(tokens === undefined
      ? {}
      : {
          tokens: {
            ...tokens,
            obtainedAt: shift(tokens.obtainedAt),
            ...(tokens.expiresAt === undefined ? {} : { expiresAt: shift(tokens.expiresAt) }),
          },
        }),
    ...(lastRefresh === undefined
      ? {}
      : {
          lastRefresh: {
            ...lastRefresh,
            at: shift(lastRefresh.at),
            ...(lastRefresh.retryAt === undefined ? {} : { retryAt: shift(lastRefresh.retryAt) }),
          },
        }),
    ...(stepUps === undefined ? {} : { stepUps: stepUps.map(shift) }),
  };
}

/** The same for the status of a sign-in. A browser that could not be opened (0) has no time. */
export function shiftStatus(status: SignInStatus, byMs: number): SignInStatus {
  const shift = shifter(byMs);
  const { startedAt, deadline, browserOpenedAt, killedBrowsers } = status;
  return {
    ...status,
    startedAt: shift(startedAt),
    deadline: shift(deadline),
    ...(browserOpenedAt === undefined
      ? {}
      : { browserOpenedAt: browserOpenedAt === 0 ? 0 : shift(browserOpenedAt) }),
    ...(killedBrowsers === undefined ? {} : { killedBrowsers: killedBrowsers.map(shift) }),
  };
}

const shifter =
  (byMs: number) =>
  (at: number): number =>
    Math.max(0, Math.round(at + byMs));
