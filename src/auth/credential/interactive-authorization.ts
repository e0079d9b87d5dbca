import { AbortedError, DrawbridgeError, describeError } from '../../errors.ts';
import { abortable } from '../../platform/abortable.ts';
import { type Moment, slept } from '../../platform/clock-jump.ts';
import type { Random } from '../../platform/random.ts';
import type { StopSignal } from '../../platform/stop.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { CredentialRecord, RecordIdentity } from '../../store/record/record.ts';
import { secretsOf } from '../../store/record/secrets.ts';
import type { Authorization, Bearer, Recovery } from '../authorization.ts';
import { AccessTokenFactory, mentionsDpop } from '../dpop/access-token.ts';
import type { DpopNonceCache } from '../dpop/proof.ts';
import type { Stale } from '../refresh/decisions.ts';
import { freshness } from '../refresh/expiry.ts';
import type { RefreshDeps, RefreshOutcome, SendRefreshRequest } from '../refresh/refresh-credential.ts';
import type { EnsureSignInDeps } from '../sign-in/ensure.ts';
import { isByPerson, SIGN_IN_PAUSE_MS } from '../sign-in/retry-pause.ts';
import type { HasIssuerChanged } from './issuer-change.ts';
import { RefusedTokens } from './refused-tokens.ts';

export interface AuthorizationOptions
  extends Omit<RefreshDeps, 'identity' | 'sendRefreshRequest' | 'random'>,
    Pick<EnsureSignInDeps, 'leases' | 'settings' | 'launch' | 'nonInteractiveReason'> {
  /** Awaited before anything is claimed: a program file that is gone (an update) must not look like a lost answer. */
  readonly loadRefreshRequest: () => Promise<SendRefreshRequest>;
  readonly hasIssuerChanged: HasIssuerChanged;
  readonly random: Random;
  /** Shared with `loadRefreshRequest`. */
  readonly proofMemory?: DpopNonceCache | undefined;
}

/** After a lock that could not be had, before a refresh ahead of time is tried again. */
const LOCK_PAUSE_MS = 5_000;
/** The process ends within two seconds of its host; an authorization server that has not answered by then is not waited for. */
const CLOSE_GRACE_MS = 1_500;

/**
 * The shared credential as one bridge uses it. While the token is fresh nothing is read from disk and nothing of OAuth is loaded;
 * refresh and sign-in come in by import when they are first wanted.
 */
export class CredentialAuthorization implements Authorization {
  readonly #options: AuthorizationOptions;
  readonly #closing = new AbortController();
  readonly #refusals = new RefusedTokens();
  readonly #tokens: AccessTokenFactory;
  /** What the store held when it was last read; `record` absent: nothing. */
  #known: { readonly record: CredentialRecord | undefined } | undefined;
  #lookedAt: Moment;
  #loading: Promise<void> | undefined;
  #refreshing: Promise<RefreshOutcome> | undefined;
  #recovering: Promise<Recovery> | undefined;
  #signIn: PendingSignInStatus | undefined;
  #failed: { readonly error: DrawbridgeError; readonly at: number } | undefined;
  /** No refresh on our own account before then, or of this access token at all. */
  #pause: { readonly until: number; readonly token: string | undefined } | undefined;

  constructor(options: AuthorizationOptions) {
    this.#options = options;
    this.#tokens = new AccessTokenFactory({ ...options, memory: options.proofMemory ?? new Map() });
    this.#lookedAt = this.#moment();
  }

  current(signal: StopSignal): Promise<Bearer | undefined> | Bearer | undefined {
    signal.throwIfAborted();
    const now = this.#moment();
    const isStale = this.#known === undefined || slept(this.#lookedAt, now);
    this.#lookedAt = now;
    const record = this.#known?.record;
    const isFresh = record?.tokens !== undefined && freshness(record.tokens, now.wall) === 'fresh';
    return isFresh && !isStale ? this.#tokens.of(record) : this.#currentLater(isStale, now, signal);
  }

  async #currentLater(isStale: boolean, now: Moment, signal: StopSignal): Promise<Bearer | undefined> {
    if (isStale) await abortable(this.#load(), signal);
    const tokens = this.#known?.record?.tokens;
    if (tokens === undefined) return undefined;
    const state = freshness(tokens, now.wall);
    // While the token serves, a slow authorization server is nobody's wait.
    if (state === 'due') void this.#refreshAhead(tokens.accessToken);
    if (state === 'expired') await abortable(this.#refreshAhead(tokens.accessToken), signal);
    // Where that failed, the old one: our clock may be wrong, and the server's 401 brings the reason to the host.
    return this.#tokens.of(this.#known?.record);
  }

  async recover(
    refused: Bearer | undefined,
    challenge: BearerChallenge | undefined,
    signal: StopSignal,
  ): Promise<Recovery> {
    signal.throwIfAborted();
    const known = this.#known?.record;
    if (known?.tokens?.accessToken !== refused?.token && this.#serves(known)) {
      return { kind: 'retry', bearer: this.#bearer(known) };
    }
    // RFC 6750 §3.1: the code says so, never the description, which may mention anything.
    const help = () =>
      challenge?.error === 'insufficient_scope'
        ? this.#stepUp(refused, challenge)
        : this.#recover(refused, challenge);
    this.#recovering ??= help().finally(() => {
      this.#recovering = undefined;
    });
    return abortable(this.#recovering, signal);
  }

  worked(bearer: Bearer): void {
    if (!this.#refusals.has(bearer.token)) this.#refusals.clear();
  }

  async close(): Promise<void> {
    this.#closing.abort(new AbortedError('the bridge is closing'));
    const over = new AbortController();
    const settled = Promise.allSettled([this.#refreshing, this.#recovering]);
    const grace = this.#options.clock.sleep(CLOSE_GRACE_MS, over.signal);
    await Promise.race([settled, grace]);
    over.abort(new AbortedError('closed'));
    await grace.catch(() => 'called off');
  }

  async #recover(refused: Bearer | undefined, challenge: BearerChallenge | undefined): Promise<Recovery> {
    if (this.#signIn !== undefined) return { kind: 'sign-in', signIn: this.#signIn };
    const { clock } = this.#options;
    const dpop = mentionsDpop(challenge) ? await import('../dpop/refused-proof.ts') : undefined;
    const proof = refused?.dpopProofs === undefined ? undefined : dpop?.refusedProof(challenge);
    if (proof !== undefined) throw proof;
    const isHopeless = refused !== undefined && this.#refusals.add(refused.token, clock.monotonic());
    const newer = await this.#usable();
    if (newer !== undefined) return { kind: 'retry', bearer: this.#replace(newer) };
    if (isHopeless) {
      const { requireIssuerChange } = await import('./fresh-token-refused.ts');
      await requireIssuerChange(this.#known?.record, challenge, {
        ...this.#options,
        refusals: this.#refusals,
      });
      return this.#ensureSignIn(challenge);
    }
    const situation = { refused, challenge, record: this.#known?.record };
    if (dpop?.needsDpopLogin({ ...situation, mode: this.#options.settings.dpop })) {
      return this.#ensureSignIn(challenge);
    }
    const refreshed = await this.#refresh({ token: refused?.token, refused: refused !== undefined });
    switch (refreshed.kind) {
      case 'usable':
        return { kind: 'retry', bearer: this.#replace(refreshed.record) };
      case 'postponed':
        throw refreshed.error;
      case 'sign-in':
        this.#options.logger.debug('a sign-in is needed', { reason: refreshed.reason });
        return this.#ensureSignIn(challenge);
    }
  }

  /** After a 403: the token stays in use while a person is asked for more. */
  async #stepUp(refused: Bearer | undefined, challenge: BearerChallenge): Promise<Recovery> {
    if (this.#signIn !== undefined) return { kind: 'sign-in', signIn: this.#signIn };
    const [{ decideStepUp }] = await Promise.all([import('./step-up.ts'), this.#load()]);
    const record = this.#known?.record;
    if (record?.tokens === undefined || refused === undefined) {
      return this.#ensureSignIn(challenge);
    }
    if (record.tokens.accessToken !== refused.token) return { kind: 'retry', bearer: this.#replace(record) };
    const step = decideStepUp(record, challenge.scope, this.#options.clock.now());
    if (step.kind === 'refuse') throw step.error;
    const { scope, stepUps } = step;
    return this.#ensureSignIn(challenge, { scope, stepUps, family: record.family });
  }

  /** `more`: another login than this family's, for more scope than it had. */
  async #ensureSignIn(
    challenge: BearerChallenge | undefined,
    more?: { readonly scope: string; readonly stepUps: readonly number[]; readonly family: string },
  ): Promise<Recovery> {
    const { clock } = this.#options;
    if (this.#failed !== undefined && clock.monotonic() - this.#failed.at < SIGN_IN_PAUSE_MS) {
      throw this.#failed.error;
    }
    const { ensureSignIn } = await import('../sign-in/ensure.ts');
    const tools: EnsureSignInDeps = {
      ...this.#options,
      ...(more === undefined
        ? {}
        : { settings: { ...this.#options.settings, scope: more.scope, stepUps: more.stepUps } }),
      usable: async () => {
        const record = await this.#usable();
        return more !== undefined && record?.family === more.family ? undefined : record;
      },
      onRecord: (record) => this.#replace(record),
    };
    const noteFailure = (error: unknown) => {
      this.#signIn = undefined;
      if (!(error instanceof DrawbridgeError) || isByPerson(error)) return;
      this.#failed = { error, at: clock.monotonic() };
    };
    const asked = await ensureSignIn(tools, challenge, this.#closing.signal).catch((error) => {
      noteFailure(error);
      throw error;
    });
    if (asked.kind === 'usable') return { kind: 'retry', bearer: this.#replace(asked.record) };
    this.#signIn = asked.signIn;
    asked.signIn.done.then(() => {
      this.#signIn = undefined;
    }, noteFailure);
    return asked;
  }

  /** Never rejects: what it cannot do, a 401 will ask for. */
  async #refreshAhead(token: string): Promise<void> {
    const { clock, logger } = this.#options;
    const pause = this.#pause;
    if (pause !== undefined && (pause.token === token || clock.monotonic() < pause.until)) return;
    try {
      // Of many processes all but one find the work done, and need no lock to see it.
      const newer = await this.#usable();
      if (newer !== undefined && newer.tokens?.accessToken !== token) return;
      const refreshed = await this.#refresh({ token, refused: false });
      if (refreshed.kind === 'sign-in') this.#pause = { until: 0, token };
      else if (refreshed.kind === 'postponed') this.#pauseFor(refreshed.error.retryAfterMs);
    } catch (error) {
      this.#pauseFor(LOCK_PAUSE_MS);
      logger.debug('no refresh ahead of expiry', { error: describeError(error) });
    }
  }

  #pauseFor(ms: number): void {
    this.#pause = { until: this.#options.clock.monotonic() + ms, token: undefined };
  }

  /** Callers join; a refresh is never aborted by the request that asked for it. */
  #refresh(stale: Stale): Promise<RefreshOutcome> {
    this.#refreshing ??= this.#refreshOnce(stale).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshOnce(stale: Stale): Promise<RefreshOutcome> {
    const [{ refreshCredential }, sendRefreshRequest] = await Promise.all([
      import('../refresh/refresh-credential.ts'),
      this.#options.loadRefreshRequest(),
    ]);
    const deps: RefreshDeps = { ...this.#options, identity: this.#identity(), sendRefreshRequest };
    const refreshed = await refreshCredential(deps, stale, this.#closing.signal);
    if (refreshed.kind === 'usable') this.#know(refreshed.record);
    return refreshed;
  }

  #load(): Promise<void> {
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #read(): Promise<void> {
    const { store, key, logger } = this.#options;
    const found = await store.read(key, this.#identity());
    if (found.kind === 'corrupt') {
      logger.warn('a credential that could not be read was set aside', { file: found.setAside });
    }
    this.#know(found.kind === 'record' ? found.record : undefined);
  }

  /** The record as it is now, if its token was not refused and is not past its end. */
  async #usable(): Promise<CredentialRecord | undefined> {
    await this.#load();
    const record = this.#known?.record;
    return this.#serves(record) ? record : undefined;
  }

  #serves(
    record: CredentialRecord | undefined,
  ): record is CredentialRecord & Required<Pick<CredentialRecord, 'tokens'>> {
    const tokens = record?.tokens;
    if (tokens === undefined || this.#refusals.has(tokens.accessToken)) return false;
    return freshness(tokens, this.#options.clock.now()) !== 'expired';
  }

  #know(record: CredentialRecord | undefined): void {
    this.#known = { record };
    for (const secret of secretsOf(record)) this.#options.logger.secret(secret);
  }

  /** This record's token takes the place of the refused one. */
  #replace(record: CredentialRecord): Bearer {
    this.#know(record);
    this.#refusals.replaced(this.#options.clock.monotonic());
    return this.#bearer(record);
  }

  #bearer(record: CredentialRecord): Bearer {
    return this.#tokens.of(record) ?? { token: '' };
  }

  #identity(): RecordIdentity {
    const { server, resource } = this.#options.settings;
    return { server, resource };
  }

  #moment(): Moment {
    const { clock } = this.#options;
    return { wall: clock.now(), monotonic: clock.monotonic() };
  }
}
