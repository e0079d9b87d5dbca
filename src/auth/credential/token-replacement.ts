import { describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { Stale } from '../refresh/decisions.ts';
import { freshness } from '../refresh/expiry.ts';
import type { RefreshOutcome } from '../refresh/refresh-credential.ts';
import type { KnownRecord } from './known-record.ts';
import { isSignedIn } from './stale-token.ts';

/** Replaces a stale access token without a sign-in, once for all processes: by the refresh token or by a machine grant. */
export type ReplaceToken = (
  stale: Stale,
  challenge: BearerChallenge | undefined,
  signal: AbortSignal,
) => Promise<RefreshOutcome>;

export interface TokenReplacementDeps {
  readonly replaceToken: ReplaceToken;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** After a failure without a retry time, how long to wait before a token is replaced before its expiry again. */
const FAILURE_PAUSE_MS = 5_000;

/** Token replacement within one process: at most one at a time, and not again at once after a failure. */
export class TokenReplacement {
  readonly #deps: TokenReplacementDeps;
  readonly #known: KnownRecord;
  readonly #closing: AbortSignal;
  #running: Promise<RefreshOutcome> | undefined;
  /** No replacement before expiry until then (monotonic milliseconds), or at all for this access token. */
  #pause: { readonly until: number; readonly token: string | undefined } | undefined;

  constructor(deps: TokenReplacementDeps, known: KnownRecord, closing: AbortSignal) {
    this.#deps = deps;
    this.#known = known;
    this.#closing = closing;
  }

  /** The replacement under way, for a process that is about to end. */
  get running(): Promise<unknown> | undefined {
    return this.#running;
  }

  /** Concurrent callers share one replacement. A caller that stops waiting does not abort it. */
  replace(stale: Stale, challenge: BearerChallenge | undefined): Promise<RefreshOutcome> {
    this.#running ??= this.#replace(stale, challenge).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #replace(stale: Stale, challenge: BearerChallenge | undefined): Promise<RefreshOutcome> {
    const before = this.#known.record?.tokens?.accessToken;
    const outcome = await this.#deps.replaceToken(stale, challenge, this.#closing);
    if (outcome.kind !== 'usable') return outcome;
    const { record } = this.#known;
    if (record?.tokens?.accessToken === before) {
      this.#known.set(outcome.record);
      return outcome;
    }
    // What was read from the store meanwhile is no earlier than the outcome, which may have been overtaken by a sign-in or logout before it came here.
    const isThere = record !== undefined && isSignedIn(record);
    return isThere ? { kind: 'usable', record } : { kind: 'sign-in', reason: 'no-credential' };
  }

  /** To be called before the server has refused the token. Never rejects: if the token cannot be replaced now, the server's 401 leads to another attempt. */
  async replaceAhead(token: string): Promise<void> {
    const { clock, logger } = this.#deps;
    const pause = this.#pause;
    if (pause !== undefined && (pause.token === token || clock.monotonic() < pause.until)) return;
    try {
      // Of many processes all but one find the token replaced, and need no lock to see that.
      await this.#known.load();
      const tokens = this.#known.record?.tokens;
      const isOther = tokens !== undefined && tokens.accessToken !== token;
      if (isOther && freshness(tokens, clock.now()) !== 'expired') return;
      const outcome = await this.replace({ token, refused: false }, undefined);
      if (outcome.kind === 'sign-in') this.#pause = { until: 0, token };
      else if (outcome.kind === 'postponed') this.#pauseFor(outcome.error.retryAfterMs);
    } catch (error) {
      this.#pauseFor(FAILURE_PAUSE_MS);
      logger.debug('no refresh ahead of expiry', { error: describeError(error) });
    }
  }

  #pauseFor(ms: number): void {
    this.#pause = { until: this.#deps.clock.monotonic() + ms, token: undefined };
  }
}
