import { AbortedError, InternalError } from '../../errors.ts';
import { abortable } from '../../platform/abortable.ts';
import type { Random } from '../../platform/random.ts';
import type { StopSignal } from '../../platform/stop.ts';
import type { DpopMode } from '../../protocol/oauth-settings.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import type { Authorization, Bearer, Recovery } from '../authorization.ts';
import { AccessTokenFactory, mentionsDpop } from '../dpop/access-token.ts';
import type { DpopNonceCache } from '../dpop/proof.ts';
import { type Ahead, freshness } from '../refresh/expiry.ts';
import type { HasIssuerChanged } from './issuer-change.ts';
import { KnownRecord, type KnownRecordDeps } from './known-record.ts';
import { OnDemandSignIn, type OnDemandSignInDeps, type WantedScope } from './on-demand-sign-in.ts';
import { RefusedTokens } from './refused-tokens.ts';
import { isSignedIn, replaceIfStale, type SignedIn } from './stale-token.ts';
import { type ReplaceToken, TokenReplacement } from './token-replacement.ts';

/** Set if a person can be asked to sign in. */
export interface PersonDeps extends OnDemandSignInDeps {
  readonly dpop: DpopMode | undefined;
  readonly hasIssuerChanged: HasIssuerChanged;
}

export interface CredentialAuthorizationDeps extends KnownRecordDeps {
  readonly random: Random;
  readonly proofMemory: DpopNonceCache;
  readonly replaceToken: ReplaceToken;
  /** Closes the store. Absent: nothing to close. */
  readonly closeStore?: (() => Promise<void>) | undefined;
  /** Absent: the credential comes from a grant without a sign-in (RFC 6749 §4.4, RFC 7523). */
  readonly person?: PersonDeps;
}

/**
 * The process ends within two seconds of its host; it does not wait longer for the authorization server. The response is in the files then, or another process
 * asks again. If many machines share the login, a lost response is lost for all: the store says how long it is worth waiting.
 */
const CLOSE_GRACE_MS = 1_500;

/**
 * The shared credential as one bridge uses it, obtained by a sign-in or by a machine grant. While the token is fresh nothing is read from disk and no OAuth
 * code is loaded; refresh, grant and sign-in are imported when first needed.
 */
export class CredentialAuthorization implements Authorization {
  readonly #deps: CredentialAuthorizationDeps;
  readonly #closing = new AbortController();
  readonly #refusals = new RefusedTokens();
  readonly #accessTokens: AccessTokenFactory;
  readonly #known: KnownRecord;
  readonly #replacement: TokenReplacement;
  readonly #signIn: OnDemandSignIn | undefined;
  readonly #ahead: Ahead | undefined;
  #recovering: Promise<Recovery> | undefined;

  constructor(deps: CredentialAuthorizationDeps) {
    const { clock, random, proofMemory, person } = deps;
    const { pace } = deps.store;
    this.#deps = deps;
    this.#ahead = pace && { maxMs: pace.maxAheadMs, share: 1 - pace.spread * random.fraction() };
    this.#accessTokens = new AccessTokenFactory({ clock, random, memory: proofMemory });
    this.#known = new KnownRecord(deps);
    this.#replacement = new TokenReplacement(deps, this.#known, this.#closing.signal);
    const usable = () => this.#findUsable();
    this.#signIn = person && new OnDemandSignIn(person, usable, (record) => this.#adopt(record));
  }

  current(signal: StopSignal): Promise<Bearer | undefined> | Bearer | undefined {
    signal.throwIfAborted();
    const isOutOfDate = this.#known.isOutOfDate();
    const { record } = this.#known;
    const isFresh =
      record?.tokens !== undefined &&
      freshness(record.tokens, this.#deps.clock.now(), this.#ahead) === 'fresh';
    return isFresh && !isOutOfDate ? this.#accessTokens.of(record) : this.#currentLater(isOutOfDate, signal);
  }

  async #currentLater(isOutOfDate: boolean, signal: StopSignal): Promise<Bearer | undefined> {
    if (isOutOfDate) await abortable(this.#known.load(), signal);
    const tokens = this.#known.record?.tokens;
    if (tokens === undefined) return undefined;
    const at = { now: this.#deps.clock.now(), ahead: this.#ahead };
    const replaced = replaceIfStale(tokens, at, (token) => this.#replacement.replaceAhead(token));
    if (replaced !== undefined) await abortable(replaced, signal);
    return this.#accessTokens.of(this.#known.record);
  }

  async recover(
    refused: Bearer | undefined,
    challenge: BearerChallenge | undefined,
    signal: StopSignal,
  ): Promise<Recovery> {
    signal.throwIfAborted();
    const { record } = this.#known;
    if (record?.tokens?.accessToken !== refused?.token && this.#serves(record)) {
      return { kind: 'retry', bearer: this.#bearer(record) };
    }
    this.#recovering ??= this.#recover(refused, challenge).finally(() => {
      this.#recovering = undefined;
    });
    return abortable(this.#recovering, signal);
  }

  worked(bearer: Bearer): void {
    if (!this.#refusals.has(bearer.token)) this.#refusals.clear();
  }

  async close(): Promise<void> {
    this.#closing.abort(new AbortedError('the bridge is closing'));
    const graceEnded = new AbortController();
    const settled = Promise.allSettled([this.#replacement.running, this.#recovering]);
    const { store, clock } = this.#deps;
    const grace = clock.sleep(store.pace?.closeGraceMs ?? CLOSE_GRACE_MS, graceEnded.signal);
    await Promise.race([settled, grace]);
    graceEnded.abort(new AbortedError('closed'));
    await grace.catch(() => 'called off');
    this.#known.close();
    await this.#deps.closeStore?.();
  }

  /** In this order: a record stored by another process, then a replacement without a sign-in, then a sign-in. */
  async #recover(refused: Bearer | undefined, challenge: BearerChallenge | undefined): Promise<Recovery> {
    const { clock, logger, person } = this.#deps;
    const pending = this.#signIn?.pending;
    if (pending !== undefined) return { kind: 'sign-in', signIn: pending };
    // RFC 6750 §3.1: the code decides, never the description, which may mention anything. For a machine grant more scope is requested below.
    if (person !== undefined && challenge?.error === 'insufficient_scope') {
      return this.#stepUp(refused, challenge);
    }
    const dpop = mentionsDpop(challenge) ? await import('../dpop/refused-proof.ts') : undefined;
    const proofError = refused?.dpopProofs === undefined ? undefined : dpop?.refusedProof(challenge);
    if (proofError !== undefined) throw proofError;
    const isHopeless = refused !== undefined && this.#refusals.add(refused.token, clock.monotonic());
    const newer = await this.#findUsable();
    if (newer !== undefined) return this.#retryWith(newer);
    const { record } = this.#known;
    if (isHopeless) {
      const { freshTokenRefused, requireIssuerChange } = await import('./fresh-token-refused.ts');
      if (person === undefined) throw freshTokenRefused(record, challenge);
      const { hasIssuerChanged } = person;
      await requireIssuerChange(record, challenge, { refusals: this.#refusals, hasIssuerChanged });
      return this.#ensureSignIn(challenge);
    }
    if (person !== undefined && dpop?.needsDpopLogin({ refused, challenge, record, mode: person.dpop })) {
      return this.#ensureSignIn(challenge);
    }
    const stale = { token: refused?.token, refused: refused !== undefined };
    const replaced = await this.#replacement.replace(stale, challenge);
    switch (replaced.kind) {
      case 'usable':
        return this.#retryWith(replaced.record);
      case 'postponed':
        throw replaced.error;
      case 'sign-in':
        logger.debug('a sign-in is needed', { reason: replaced.reason });
        return this.#ensureSignIn(challenge);
    }
  }

  /** The server requires more scope: the token stays in use during the sign-in. */
  async #stepUp(refused: Bearer | undefined, challenge: BearerChallenge): Promise<Recovery> {
    const [{ decideStepUp }] = await Promise.all([import('./step-up.ts'), this.#known.load()]);
    const { record } = this.#known;
    if (record?.tokens === undefined || refused === undefined) return this.#ensureSignIn(challenge);
    if (record.tokens.accessToken !== refused.token) return this.#retryWith(record);
    const step = decideStepUp(record, challenge.scope, this.#deps.clock.now());
    if (step.kind === 'refuse') throw step.error;
    const { scope, stepUps } = step;
    return this.#ensureSignIn(challenge, { scope, stepUps, family: record.family });
  }

  async #ensureSignIn(challenge: BearerChallenge | undefined, more?: WantedScope): Promise<Recovery> {
    if (this.#signIn === undefined) throw new InternalError('a sign-in for a grant without a person');
    const asked = await this.#signIn.ensure(challenge, this.#closing.signal, more);
    return asked.kind === 'usable' ? { kind: 'retry', bearer: this.#adopt(asked.record) } : asked;
  }

  /** The record as stored now, if its token was not refused and has not expired. */
  async #findUsable(): Promise<CredentialRecord | undefined> {
    await this.#known.load();
    const { record } = this.#known;
    return this.#serves(record) ? record : undefined;
  }

  #serves(record: CredentialRecord | undefined): record is SignedIn {
    if (record === undefined || !isSignedIn(record)) return false;
    const { tokens } = record;
    if (this.#refusals.has(tokens.accessToken)) return false;
    return freshness(tokens, this.#deps.clock.now()) !== 'expired';
  }

  #retryWith(record: CredentialRecord): Recovery {
    return { kind: 'retry', bearer: this.#replaceRefused(record) };
  }

  /** A sign-in has stored this record. */
  #adopt(record: CredentialRecord): Bearer {
    this.#known.set(record);
    return this.#replaceRefused(record);
  }

  /** Replaces the refused token by this record's. */
  #replaceRefused(record: CredentialRecord): Bearer {
    this.#refusals.replaced(this.#deps.clock.monotonic());
    return this.#bearer(record);
  }

  #bearer(record: CredentialRecord): Bearer {
    return this.#accessTokens.of(record) ?? { token: '' };
  }
}
