import { DrawbridgeError, InternalError } from '../../errors.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { logUnexpected, UNEXPECTED_ERROR } from '../../platform/log/unexpected-error.ts';
import type { JsonObject } from '../../protocol/json/json-object.ts';
import { backoffMs } from '../../remote/http/backoff.ts';
import type { SessionHeaders } from '../../remote/http/message-options.ts';
import type { PendingSignIn } from '../stand-in/pending-sign-in.ts';
import { describeUnavailability, type Unavailability } from '../stand-in/unavailability.ts';
import { SHORT_SESSION_MS, STORE_AWAY_PAUSE_MS } from '../timing/limits.ts';
import type { TIMED_OUT, WaitBudget } from '../timing/wait-budget.ts';
import { FirstContact } from './first-contact.ts';
import {
  type InitializeDeps,
  type InitializeOutcome,
  type InitializeRequest,
  initialize,
  isOfKeychain,
} from './initialize.ts';
import {
  initialLifecycle,
  type Lifecycle,
  type LifecycleEffect,
  type LifecycleEvent,
  mayRelay,
  nextLifecycle,
} from './lifecycle.ts';

export type InitializeSucceeded = Extract<InitializeOutcome, { kind: 'answered' }>;
export type InitializeFailed = Extract<InitializeOutcome, { kind: 'failed' }>;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: DrawbridgeError) => void;
}

/** The effects of the lifecycle that reach the host or the server; the session performs the others itself. */
export interface SessionHooks {
  armStandIn(session: Session): void;
  answerByStandIn(session: Session): Promise<void>;
  relayInitializeResult(succeeded: InitializeSucceeded): Promise<void>;
  relayInitializeError(initializeRequest: InitializeRequest, failed: InitializeFailed): void;
  /** Sends `notifications/initialized`; resolves when the server has accepted it or refused it. */
  sendInitialized(session: Session): Promise<void>;
  /** Restores the log level and resource subscriptions of the lost session in a new one. */
  restore(session: Session): Promise<void>;
  listen(session: Session): void;
  announceChanges(session: Session): Promise<void>;
  /** Messages that came along with the answer to `initialize`. */
  deliverOtherMessages(succeeded: InitializeSucceeded): Promise<void>;
}

export interface SessionDeps extends Omit<InitializeDeps, 'contact'> {
  /** A number in [0, 1), for jitter. */
  readonly fraction: () => number;
  readonly pendingSignIn: PendingSignIn;
  readonly logger: Logger;
  readonly hooks: SessionHooks;
  /** Called whenever the session cannot be opened yet. */
  readonly onUnavailable?: () => void;
}

/** The session with the server: opened with the host's `initialize`, opened again when it is lost. Messages go out when it is ready. */
export class Session {
  readonly #deps: SessionDeps;
  #state: Lifecycle = initialLifecycle;
  #initializeRequest: InitializeRequest | undefined;
  #initialized: InitializeSucceeded | undefined;
  #failed: InitializeFailed | undefined;
  #unavailability: Unavailability = { kind: 'opening' };
  #headers: SessionHeaders = {};
  #waiting: Waiting[] = [];
  #quietly = false;
  #withoutSession = false;
  /** Whether the server's answer to `initialize` can be waited for. */
  readonly contact = new FirstContact();
  /** When the current session was opened, on the monotonic clock. */
  #openedAt = Number.NEGATIVE_INFINITY;
  /** How many sessions in a row were lost soon after they were opened. */
  #shortLived = 0;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  get state(): Lifecycle {
    return this.#state;
  }

  get headers(): SessionHeaders {
    return this.#headers;
  }

  get initializeRequest(): InitializeRequest | undefined {
    return this.#initializeRequest;
  }

  /** The server's last answer to `initialize`. */
  get initializeResult(): JsonObject | undefined {
    return this.#initialized?.result;
  }

  /** The server's declared capabilities; empty before its answer. */
  get capabilities(): JsonObject {
    const capabilities = this.#initialized?.result.capabilities;
    return typeof capabilities === 'object' && capabilities !== null ? (capabilities as JsonObject) : {};
  }

  get unavailability(): Unavailability {
    return this.#deps.pendingSignIn.unavailability ?? this.#unavailability;
  }

  /** Whether the host is of a revision without a session (2026-07-28): each of its messages may go out at any time. */
  get withoutSession(): boolean {
    return this.#withoutSession;
  }

  /** The host sent a request that carries all it needs. */
  hostNeedsNoSession(): void {
    if (this.#state.host === 'not-initialized') this.#withoutSession = true;
  }

  initializeReceived(initializeRequest: InitializeRequest): void {
    this.#withoutSession = false;
    this.#initializeRequest = initializeRequest;
    this.#apply('initialize-received');
  }

  standInDue(): void {
    this.#apply('stand-in-due');
  }

  initializedReceived(): void {
    this.#apply('initialized-received');
  }

  /** A message was refused because its session no longer exists. However many messages report this at once, one new session is opened. */
  lost(headers: SessionHeaders, options: { readonly quietly: boolean }): void {
    if (headers !== this.#headers) return;
    // If any of the messages that report it may ask a person, the new session may ask one.
    this.#quietly = options.quietly && (this.#quietly || mayRelay(this.#state));
    const soon = this.#deps.clock.monotonic() - this.#openedAt < SHORT_SESSION_MS;
    this.#shortLived = soon ? this.#shortLived + 1 : 0;
    this.#apply('session-lost');
  }

  /**
   * Undefined if messages may be sent. A promise resolves when they may, or with TIMED_OUT; it rejects with the reason if this attempt to open fails for good.
   */
  usable(waitBudget: WaitBudget): Promise<undefined | typeof TIMED_OUT> | undefined {
    if (this.#withoutSession || mayRelay(this.#state)) return undefined;
    this.#apply('message-waiting');
    if (mayRelay(this.#state)) return undefined;
    const gate = new Promise<undefined>((resolve, reject) => {
      this.#waiting.push({ resolve: () => resolve(undefined), reject });
    });
    return waitBudget.wait(gate);
  }

  #apply(event: LifecycleEvent): void {
    const { state, effects } = nextLifecycle(this.#state, event);
    this.#state = state;
    if (effects.length > 0) void this.#run(effects);
  }

  /** Never rejects: an effect that fails in an unexpected way does not keep the next ones from being run. */
  async #run(effects: readonly LifecycleEffect[]): Promise<void> {
    for (const effect of effects) {
      try {
        await this.#perform(effect);
      } catch (error) {
        if (this.#deps.signal.aborted) return;
        logUnexpected(this.#deps.logger, `the effect ${effect}`, error);
        this.#goOnAfter(effect);
      }
    }
  }

  /** Continues after a failed effect, for callers that wait for its result. */
  #goOnAfter(effect: LifecycleEffect): void {
    const failed: InitializeFailed = { kind: 'failed', error: new InternalError(UNEXPECTED_ERROR) };
    if (effect === 'open') this.#openFailed(failed);
    if (effect === 'send-initialized') this.#apply('initialized-accepted');
    if (effect === 'relay-initialize-result' || effect === 'answer-by-stand-in') {
      this.#deps.hooks.relayInitializeError(this.#initializeRequest as InitializeRequest, failed);
    }
  }

  async #perform(effect: LifecycleEffect): Promise<void> {
    const { hooks } = this.#deps;
    switch (effect) {
      case 'open':
        return this.#open();
      case 'arm-stand-in':
        return hooks.armStandIn(this);
      case 'answer-by-stand-in':
        return hooks.answerByStandIn(this);
      case 'relay-initialize-result':
        return hooks.relayInitializeResult(this.#initialized as InitializeSucceeded);
      case 'relay-initialize-error':
        return hooks.relayInitializeError(
          this.#initializeRequest as InitializeRequest,
          this.#failed as InitializeFailed,
        );
      case 'fail-waiting':
        return this.#settleWaiting((waiting) => waiting.reject((this.#failed as InitializeFailed).error));
      case 'send-initialized':
        await hooks.sendInitialized(this);
        return this.#apply('initialized-accepted');
      case 'restore':
        return hooks.restore(this);
      case 'listen':
        return hooks.listen(this);
      case 'release-waiting':
        return this.#settleWaiting((waiting) => waiting.resolve());
      case 'announce-changes':
        return hooks.announceChanges(this);
    }
  }

  #settleWaiting(settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) settle(each);
  }

  /** Attempts until the server answers `initialize`, or gives an answer that another attempt would not change. */
  async #open(): Promise<void> {
    const { signal, clock, fraction, pendingSignIn, hooks } = this.#deps;
    const mayAskPerson = !this.#quietly;
    this.#quietly = false;
    this.#unavailability = { kind: 'opening' };
    // A server that forgets each session at once gets new sessions less and less often.
    if (this.#shortLived > 1) await clock.sleep(backoffMs(this.#shortLived - 1, fraction()), signal);
    for (let attempt = 1; ; attempt++) {
      const outcome = await initialize(this.#initializeRequest as InitializeRequest, mayAskPerson, {
        ...this.#deps,
        contact: this.contact,
      });
      switch (outcome.kind) {
        case 'answered':
          this.#initialized = outcome;
          this.#headers = outcome.session;
          this.#openedAt = clock.monotonic();
          await hooks.deliverOtherMessages(outcome);
          this.#apply('initialize-answered');
          if (mayRelay(this.#state)) this.#settleWaiting((waiting) => waiting.resolve());
          return;
        case 'unreachable':
          this.contact.returned();
          this.#unavailability = { kind: 'unreachable', error: outcome.error };
          // Once: further attempts add nothing, and hosts show stderr to a person.
          if (attempt === 1) this.#deps.logger.inform(describeUnavailability(this.#unavailability));
          this.#deps.onUnavailable?.();
          await clock.sleep(pauseMs(outcome, attempt, fraction()), signal);
          break;
        case 'sign-in': {
          pendingSignIn.watch(outcome.signIn);
          this.#deps.onUnavailable?.();
          const failure = await outcome.signIn.done.then(
            () => undefined,
            (error: unknown) => {
              if (error instanceof DrawbridgeError) return error;
              throw error;
            },
          );
          if (failure !== undefined) return this.#openFailed({ kind: 'failed', error: failure });
          attempt = 0;
          break;
        }
        case 'failed':
          return this.#openFailed(outcome);
      }
    }
  }

  #openFailed(failed: InitializeFailed): void {
    this.#failed = failed;
    this.#unavailability = { kind: 'failed', error: failed.error };
    this.#deps.logger.inform(describeUnavailability(this.#unavailability));
    this.#deps.onUnavailable?.();
    if (isOfKeychain(failed.error)) this.#apply('stand-in-due');
    this.#apply('open-failed');
  }
}

/** Before the next attempt to open a session. */
function pauseMs(
  { error, afterMs = 0 }: Extract<InitializeOutcome, { kind: 'unreachable' }>,
  attempt: number,
  fraction: number,
): number {
  const longestMs = error.code === 'store_away' ? STORE_AWAY_PAUSE_MS : undefined;
  return Math.max(afterMs, backoffMs(attempt, fraction, longestMs));
}
