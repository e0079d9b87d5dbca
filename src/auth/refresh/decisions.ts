import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { ReadResult } from '../../store/port/store.ts';
import type { Client, CredentialRecord, LastRefresh, NewRecord } from '../../store/record/record.ts';
import type { ReservationState } from '../../store/reservation/reservation.ts';
import type { Sent } from '../errors/oauth-errors.ts';
import type { TokenAnswer } from '../token/token-response.ts';
import { freshness } from './expiry.ts';

/** The access token to replace, and the reason. */
export interface Stale {
  readonly token: string | undefined;
  /** The server refused it (401). That counts more than any clock. */
  readonly refused: boolean;
}

export type SignInReason = 'no-credential' | 'no-refresh-token' | 'refresh-token-dead' | 'client-unknown';

/** The server's 429 or 503 may ask for more; but a person waits, and a clock may be wrong. */
const MAX_BACKOFF_MS = 5 * 60_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_OWN_BACKOFF_MS = 60_000;
/** A refresh token that may have been used is sent once more when the access token is about to expire, not before. */
const NEAR_EXPIRY_MS = 10_000;
/** Five heartbeats. An owner that cannot be looked up and is silent for longer counts as dead; one known to be alive never does. */
export const SILENT_OWNER_MS = 10_000;
/** The same for versions without a heartbeat; far more than the 30 s of a token request. */
const UNKNOWN_OWNER_MS = 10 * 60_000;
/** src/auth/README.md, "Metabase": two refusals without `invalid_grant` mean the same. */
const MAX_REFUSALS = 2;

export type RefreshDecision =
  /** The record holds a newer token. */
  | { readonly kind: 'usable'; readonly record: CredentialRecord }
  | { readonly kind: 'sign-in'; readonly reason: SignInReason }
  /** Another process was asked to retry later, or has just failed. */
  | { readonly kind: 'postponed'; readonly afterMs: number; readonly outcome: string }
  | {
      readonly kind: 'refresh';
      readonly record: CredentialRecord & { readonly client: Client };
      readonly refreshToken: string;
      readonly hash: string;
    };

/** Whether the record, as read under the lock, allows a refresh. `now`: milliseconds since the epoch. */
export function decideRefresh(
  read: ReadResult,
  stale: Stale,
  now: number,
  hashOf: (token: string) => string,
): RefreshDecision {
  const newer = newerRecord(read, stale, now);
  if (newer !== undefined) return { kind: 'usable', record: newer };
  if (read.kind !== 'record' || read.record.tokens === undefined) {
    return { kind: 'sign-in', reason: 'no-credential' };
  }
  const { record } = read;
  const refreshToken = record.tokens?.refreshToken;
  if (refreshToken === undefined) return { kind: 'sign-in', reason: 'no-refresh-token' };
  const hash = hashOf(refreshToken);
  if (hash === record.deadRefreshTokenHash) return { kind: 'sign-in', reason: 'refresh-token-dead' };
  const { client } = record;
  if (client === undefined) return { kind: 'sign-in', reason: 'client-unknown' };
  const afterMs = (record.lastRefresh?.retryAt ?? 0) - now;
  if (afterMs > 0 && afterMs <= MAX_BACKOFF_MS) {
    return { kind: 'postponed', afterMs, outcome: record.lastRefresh?.outcome ?? '' };
  }
  return { kind: 'refresh', record: { ...record, client }, refreshToken, hash };
}

/** The record, if its access token is not the stale one and has not expired. */
export function newerRecord(read: ReadResult, stale: Stale, now: number): CredentialRecord | undefined {
  if (read.kind !== 'record' || read.record.tokens === undefined) return undefined;
  const { tokens } = read.record;
  const isOther = tokens.accessToken !== stale.token;
  return isOther && freshness(tokens, now) !== 'expired' ? read.record : undefined;
}

export type ReservationDecision =
  /** Another process is refreshing, or may be. */
  | { readonly kind: 'wait' }
  /** A process has received a response and has not stored it as the record. */
  | { readonly kind: 'adopt-response'; readonly response: CredentialRecord }
  | { readonly kind: 'reserve'; readonly number: number }
  | { readonly kind: 'postponed' };

/** A reservation, and for how many milliseconds this process has seen no sign of life of its owner. */
export interface WatchedReservation extends ReservationState {
  readonly silentMs: number;
}

/** Decides whose turn it is to send the refresh token, by the existing reservations, oldest first. */
export function decideReservation(
  reservations: readonly WatchedReservation[],
  record: CredentialRecord,
  stale: Stale,
  now: number,
): ReservationDecision {
  for (const { request } of reservations) {
    // The response is complete and on disk. Whether its owner is alive or not, it follows the token in the record.
    if (request.kind === 'answered' && request.record.family === record.family) {
      return { kind: 'adopt-response', response: request.record };
    }
  }
  const last = reservations.at(-1);
  if (last === undefined) return { kind: 'reserve', number: 1 };
  if (last.request.kind !== 'ambiguous' && mayLive(last)) return { kind: 'wait' };
  // The token is sent again as often as it takes, at the pace of the back-off. If the first request was carried out and only its response was lost, the second
  // one was the replay already, and a third does no more harm. If no request was carried out (the server is down behind its proxy), the token works once the
  // server is back. Only the server's own answer ends this. An owner that cannot be looked up may be suspended, with its response on the way: that is
  // ambiguous, and no reason to wait forever.
  const isAmbiguous = reservations.some(
    ({ request, owner }) => request.kind === 'ambiguous' || (request.kind === 'maybe' && owner === 'unknown'),
  );
  if (isAmbiguous && !isUrgent(record, stale, now)) return { kind: 'postponed' };
  return { kind: 'reserve', number: last.number + 1 };
}

function mayLive({ owner, hasHeartbeat, silentMs, ageMs }: WatchedReservation): boolean {
  if (owner !== 'unknown') return owner === 'alive';
  return hasHeartbeat ? silentMs <= SILENT_OWNER_MS : ageMs <= UNKNOWN_OWNER_MS;
}

function isUrgent({ tokens }: CredentialRecord, stale: Stale, now: number): boolean {
  return stale.refused || tokens?.expiresAt === undefined || tokens.expiresAt - now <= NEAR_EXPIRY_MS;
}

/** The parts of a failed token request that the decision needs. */
export interface Failure {
  readonly sent: Sent;
  readonly status?: number | undefined;
  readonly oauthError?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

export type RefreshFailure =
  /** `invalid_grant`, or an equivalent error: the refresh token never works again. */
  | { readonly kind: 'dead'; readonly outcome: string }
  | { readonly kind: 'client-unknown'; readonly outcome: string }
  /** The token was sent, and it is unknown whether it was used. */
  | { readonly kind: 'ambiguous'; readonly outcome: string }
  /** The token is unaffected. `refused`: the server blamed the request. */
  | { readonly kind: 'postponed'; readonly outcome: string; readonly refused: boolean };

/** Codes of RFC 6749 §5.2 that concern the server and not the request; about a nonce, RFC 9449 §8. */
const SERVER_CODES = new Set(['server_error', 'temporarily_unavailable', 'slow_down', 'use_dpop_nonce']);
/** 425 and 429 are temporary; the request was not carried out. */
const PASSING_STATUS = new Set([425, 429]);
/** RFC 9110 §15.6.4, §15.6.2, §15.6.6: refused before the grant was looked at. */
const UNTOUCHED_STATUS = new Set([501, 503, 505]);
/** Timeouts and closed connections, which a gateway reports while the server behind it continues. */
const GIVEN_UP_STATUS = new Set([408, 499]);
/** A refusal in the server's own format. Any other 4xx without an OAuth error comes from a proxy or a wrong address. */
const BLAMING_STATUS = new Set([400, 401, 422]);

/** Classifies what a failed request means for the refresh token. */
export function classifyRefreshFailure(
  failure: Failure,
  lastRefresh: LastRefresh | undefined,
): RefreshFailure {
  const { sent, status = 0, oauthError } = failure;
  if (sent === 'no') return { kind: 'postponed', outcome: 'not reached', refused: false };
  if (sent === 'maybe') return { kind: 'ambiguous', outcome: 'no answer' };
  const outcome = oauthError ?? `status ${status}`;
  if (oauthError === 'invalid_grant') return { kind: 'dead', outcome };
  if (oauthError === 'invalid_client' || oauthError === 'unauthorized_client') {
    return { kind: 'client-unknown', outcome };
  }
  if (mayHideCommit(failure)) return { kind: 'ambiguous', outcome };
  const isServers = status >= 500 || PASSING_STATUS.has(status) || SERVER_CODES.has(oauthError ?? '');
  const blames = !isServers && (oauthError !== undefined || BLAMING_STATUS.has(status));
  if (blames && (lastRefresh?.refusals ?? 0) + 1 >= MAX_REFUSALS) return { kind: 'dead', outcome };
  return { kind: 'postponed', outcome, refused: blames };
}

/**
 * Whether the response may not come from the token endpoint itself, so that the token may have been rotated all the same: a gateway answers 502 or 504 after it
 * has forwarded the request, and a server that answers 200 with a page, or fails with a 500, may have processed it. A response with an OAuth `error` comes from
 * the endpoint.
 */
function mayHideCommit({ status = 0, oauthError }: Failure): boolean {
  if (oauthError !== undefined) return false;
  const isSuccess = status >= 200 && status <= 299;
  return isSuccess || GIVEN_UP_STATUS.has(status) || (status >= 500 && !UNTOUCHED_STATUS.has(status));
}

/** The record's note about a failure, for every process that reads it. */
export function noteFailure(
  { outcome, refused }: { readonly outcome: string; readonly refused: boolean },
  failure: Failure,
  before: LastRefresh | undefined,
  now: number,
): LastRefresh {
  const failures = (before?.failures ?? 0) + 1;
  const refusals = (before?.refusals ?? 0) + (refused ? 1 : 0);
  const own = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), MAX_OWN_BACKOFF_MS);
  const backoffMs = Math.min(Math.max(own, failure.retryAfterMs ?? 0), MAX_BACKOFF_MS);
  return { at: now, outcome, retryAt: now + backoffMs, failures, ...(refusals === 0 ? {} : { refusals }) };
}

/** RFC 6749 §6: fields missing from the response keep their value. `sentAt`: before the request, so that the token is never thought younger than it is. */
export function refreshedRecord(record: CredentialRecord, answer: TokenAnswer, sentAt: number): NewRecord {
  const { version, revision, tokens, deadRefreshTokenHash, lastRefresh, ...rest } = record;
  const refreshToken = answer.refreshToken ?? tokens?.refreshToken;
  const scope = answer.scope ?? tokens?.scope;
  const idToken = answer.idToken ?? tokens?.idToken;
  const { expiresInSeconds } = answer;
  const expiresAt = expiresInSeconds === undefined ? undefined : sentAt + expiresInSeconds * 1000;
  return {
    ...rest,
    tokens: {
      accessToken: answer.accessToken,
      tokenType: answer.tokenType,
      obtainedAt: sentAt,
      ...withoutUndefined({ refreshToken, expiresAt, scope, idToken }),
    },
    lastRefresh: { at: sentAt, outcome: 'refreshed' },
  };
}
