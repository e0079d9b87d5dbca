import type { Client, CredentialRecord, LastRefresh, NewRecord } from '../../store/record/record.ts';
import type { ReservationState } from '../../store/reservation/reservation.ts';
import type { ReadResult } from '../../store/store.ts';
import type { Sent } from '../errors/oauth-errors.ts';
import type { TokenAnswer } from '../token/token-response.ts';
import { freshness } from './expiry.ts';

/** The access token that will not do, and why. */
export interface Stale {
  readonly token: string | undefined;
  /** The server refused it (401), which counts for more than any clock. */
  readonly refused: boolean;
}

export type SignInReason = 'no-credential' | 'no-refresh-token' | 'refresh-token-dead' | 'client-unknown';

/** The server's 429 or 503 may ask for more; but a person waits, and a clock may be wrong. */
const MAX_BACKOFF_MS = 5 * 60_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_OWN_BACKOFF_MS = 60_000;
/** An ambiguous refresh token is risked once more when the access token is about to end, not before. */
const NEAR_EXPIRY_MS = 10_000;
/** Five heartbeats of a claim: an owner that cannot be looked up, and is silent for longer, is no more. Never one that is seen alive. */
export const SILENT_OWNER_MS = 10_000;
/** The same for versions without a heartbeat; far beyond the 30 s of a token request. */
const UNKNOWN_OWNER_MS = 10 * 60_000;
/** src/auth/README.md, "Metabase": two refusals without `invalid_grant` mean the same. */
const MAX_REFUSALS = 2;

export type RefreshDecision =
  | { readonly kind: 'adopt'; readonly record: CredentialRecord }
  | { readonly kind: 'sign-in'; readonly reason: SignInReason }
  | { readonly kind: 'later'; readonly afterMs: number; readonly outcome: string }
  | {
      readonly kind: 'refresh';
      readonly record: CredentialRecord & { readonly client: Client };
      readonly refreshToken: string;
      readonly hash: string;
    };

/** Step 3: what the record says under the lock. */
export function decideRefresh(
  read: ReadResult,
  stale: Stale,
  now: number,
  hashOf: (token: string) => string,
): RefreshDecision {
  const adoptable = newerRecord(read, stale, now);
  if (adoptable !== undefined) return { kind: 'adopt', record: adoptable };
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
    return { kind: 'later', afterMs, outcome: record.lastRefresh?.outcome ?? '' };
  }
  return { kind: 'refresh', record: { ...record, client }, refreshToken, hash };
}

/** A record whose access token is another one than the stale one, and not past its end. */
export function newerRecord(read: ReadResult, stale: Stale, now: number): CredentialRecord | undefined {
  if (read.kind !== 'record' || read.record.tokens === undefined) return undefined;
  const { tokens } = read.record;
  const isOther = tokens.accessToken !== stale.token;
  return isOther && freshness(tokens, now) !== 'expired' ? read.record : undefined;
}

export type ReservationDecision =
  /** Somebody is at it, or may be. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'adopt-answer'; readonly answer: CredentialRecord }
  | { readonly kind: 'claim'; readonly number: number }
  | { readonly kind: 'later' };

/** A claim, and for how long this process has seen no sign of its owner's life. */
export interface WatchedClaim extends ReservationState {
  readonly silentMs: number;
}

/** Step 4: who may spend the refresh token, seeing the claims on it. */
export function decideReservation(
  claims: readonly WatchedClaim[],
  record: CredentialRecord,
  stale: Stale,
  now: number,
): ReservationDecision {
  for (const { spent } of claims) {
    // Whole and on disk: whoever made it, alive or not, it is the successor of the token in the record.
    if (spent.kind === 'answered' && spent.record.family === record.family) {
      return { kind: 'adopt-answer', answer: spent.record };
    }
  }
  const last = claims.at(-1);
  if (last === undefined) return { kind: 'claim', number: 1 };
  if (last.spent.kind !== 'lost' && mayLive(last)) return { kind: 'wait' };
  // Sent again without an end, at the pace of the back-off: where a first request was carried out unseen, the second one was the replay,
  // and a third costs nothing more. Where none was (a server that is down behind its proxy), it heals; only the server's word ends it.
  // An owner out of sight may be suspended, and its answer on its way: as good as lost, and no more.
  const isAmbiguous = claims.some(
    ({ spent, owner }) => spent.kind === 'lost' || (spent.kind === 'maybe' && owner === 'unknown'),
  );
  if (isAmbiguous && !isUrgent(record, stale, now)) return { kind: 'later' };
  return { kind: 'claim', number: last.number + 1 };
}

function mayLive({ owner, hasHeartbeat, silentMs, ageMs }: WatchedClaim): boolean {
  if (owner !== 'unknown') return owner === 'alive';
  return hasHeartbeat ? silentMs <= SILENT_OWNER_MS : ageMs <= UNKNOWN_OWNER_MS;
}

function isUrgent({ tokens }: CredentialRecord, stale: Stale, now: number): boolean {
  return stale.refused || tokens?.expiresAt === undefined || tokens.expiresAt - now <= NEAR_EXPIRY_MS;
}

/** What a failed token request was, as far as the decision goes. */
export interface Failure {
  readonly sent: Sent;
  readonly status?: number | undefined;
  readonly oauthError?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

export type Verdict =
  /** `invalid_grant`, or as good as: it never works again. */
  | { readonly kind: 'dead'; readonly outcome: string }
  | { readonly kind: 'client-unknown'; readonly outcome: string }
  /** Sent, and nothing is known. */
  | { readonly kind: 'lost'; readonly outcome: string }
  /** The token is as good as before. */
  | { readonly kind: 'later'; readonly outcome: string; readonly refused: boolean };

/** RFC 6749 §5.2 codes that speak of the server and not of what it was sent; of a nonce, RFC 9449 §8. */
const SERVER_CODES = new Set(['server_error', 'temporarily_unavailable', 'slow_down', 'use_dpop_nonce']);
/** Too early, too many: about this moment, and the request was not carried out. */
const PASSING_STATUS = new Set([425, 429]);
/** RFC 9110 §15.6.4, §15.6.2, §15.6.6: refused before the grant was looked at. */
const UNTOUCHED_STATUS = new Set([501, 503, 505]);
/** Timeouts and lost clients, which a gateway reports while the server behind it goes on. */
const GIVEN_UP_STATUS = new Set([408, 499]);
/** A refusal in the server's own format; other 4xx without an OAuth error come from proxies and wrong addresses. */
const BLAMING_STATUS = new Set([400, 401, 422]);

/** Step 7: what a failure says about the refresh token. */
export function classifyRefreshFailure(failure: Failure, lastRefresh: LastRefresh | undefined): Verdict {
  const { sent, status = 0, oauthError } = failure;
  if (sent === 'no') return { kind: 'later', outcome: 'not reached', refused: false };
  if (sent === 'maybe') return { kind: 'lost', outcome: 'no answer' };
  const outcome = oauthError ?? `status ${status}`;
  if (oauthError === 'invalid_grant') return { kind: 'dead', outcome };
  if (oauthError === 'invalid_client' || oauthError === 'unauthorized_client') {
    return { kind: 'client-unknown', outcome };
  }
  if (mayHideCommit(failure)) return { kind: 'lost', outcome };
  const isServers = status >= 500 || PASSING_STATUS.has(status) || SERVER_CODES.has(oauthError ?? '');
  const blames = !isServers && (oauthError !== undefined || BLAMING_STATUS.has(status));
  if (blames && (lastRefresh?.refusals ?? 0) + 1 >= MAX_REFUSALS) return { kind: 'dead', outcome };
  return { kind: 'later', outcome, refused: blames };
}

/**
 * An answer that is not the token endpoint's own: a gateway's 502 or 504 comes after the request has gone on to the server, which may
 * have rotated the token, and so may what answers 200 with a page or dies with a 500. An `error` in it is the endpoint's own word.
 */
function mayHideCommit({ status = 0, oauthError }: Failure): boolean {
  if (oauthError !== undefined) return false;
  const isSuccess = status >= 200 && status <= 299;
  return isSuccess || GIVEN_UP_STATUS.has(status) || (status >= 500 && !UNTOUCHED_STATUS.has(status));
}

/** What is noted of a failure, for every process that reads the record. */
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

/** RFC 6749 §6: what the answer leaves out stays as it was. `sentAt`: before the request, so that the token is never thought younger. */
export function refreshedRecord(record: CredentialRecord, answer: TokenAnswer, sentAt: number): NewRecord {
  const { version, revision, tokens, deadRefreshTokenHash, lastRefresh, ...rest } = record;
  const refreshToken = answer.refreshToken ?? tokens?.refreshToken;
  const scope = answer.scope ?? tokens?.scope;
  const idToken = answer.idToken ?? tokens?.idToken;
  const { expiresInSeconds } = answer;
  return {
    ...rest,
    tokens: {
      accessToken: answer.accessToken,
      tokenType: answer.tokenType,
      obtainedAt: sentAt,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      ...(expiresInSeconds === undefined ? {} : { expiresAt: sentAt + expiresInSeconds * 1000 }),
      ...(scope === undefined ? {} : { scope }),
      ...(idToken === undefined ? {} : { idToken }),
    },
    lastRefresh: { at: sentAt, outcome: 'refreshed' },
  };
}
