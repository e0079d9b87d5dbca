import type { Clock } from '../../platform/clock.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import { admitResource } from '../../redaction/query-secrets.ts';
import { StoreAwayError } from '../../store/files/store-errors.ts';
import { wasKilled } from '../../store/lease/earlier-browsers.ts';
import type { Leases, SignInStatus } from '../../store/lease/lease.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import type { Bearer } from '../authorization.ts';
import { SignInEndedError } from '../errors/errors.ts';

export interface FollowSignInDeps {
  readonly leases: Leases;
  readonly key: string;
  readonly clock: Clock;
  /** The record, once it has a token that may be valid. */
  readonly usable: () => Promise<CredentialRecord | undefined>;
  /** Called before waiting callers are notified. */
  readonly onRecord: (record: CredentialRecord) => Bearer;
}

/** The outcome of a request for a sign-in. `nonce` belongs to the sign-in under way. */
export type LeaseOutcome =
  | { readonly kind: 'usable'; readonly record: CredentialRecord }
  | { readonly kind: 'started'; readonly nonce: string }
  | { readonly kind: 'held'; readonly nonce: string | undefined };

/**
 * Polled, not watched: fs.watch misses changes on network drives and in containers, and costs a handle per bridge; a poll is two small reads, for the minutes
 * that a person takes.
 */
const TURN_MS = 250;

/** An engine that is away for longer than a failover or a restart takes, with a margin, ends the wait. */
const MAX_AWAY_MS = 2 * 60_000;

/** Follows a sign-in of any process, by the files that it leaves in the store. */
export class SignInFollower implements PendingSignInStatus {
  address: string | undefined;
  userCode: string | undefined;
  codeAddress: string | undefined;
  browserOpened = false;
  deadline: number | undefined;
  readonly done: Promise<Bearer>;
  readonly #deps: FollowSignInDeps;
  readonly #listeners = new Set<(address: string, userCode?: string) => void>();

  /**
   * `nonce` is the lease's; a status with another one belongs to an earlier sign-in. `startAnother` is called at most once: if the followed sign-in succeeds
   * without a usable token, had failed before it was followed, or is killed.
   */
  constructor(
    deps: FollowSignInDeps,
    nonce: string | undefined,
    signal: AbortSignal,
    startAnother?: () => Promise<LeaseOutcome>,
  ) {
    this.#deps = deps;
    this.done = this.#follow(nonce, signal, startAnother);
    // Each caller that awaits it gets the reason; without a caller, the rejection must not end the process.
    this.done.catch(() => {});
  }

  onAddress(listener: (address: string, userCode?: string) => void): void {
    this.#listeners.add(listener);
    if (this.address !== undefined) listener(this.address, this.userCode);
  }

  async #follow(
    first: string | undefined,
    signal: AbortSignal,
    startAnother: (() => Promise<LeaseOutcome>) | undefined,
  ): Promise<Bearer> {
    const { leases, key, clock, onRecord } = this.#deps;
    let mayStart = startAnother;
    /** The nonce of a sign-in that had failed before it was followed and still has its lease: the request came after that failure was known. */
    let failedBefore: string | undefined;
    let awaySince: number | undefined;
    for (let nonce = first, isFirst = true; ; isFirst = false) {
      const pause = () =>
        leases.changed === undefined ? clock.sleep(TURN_MS, signal) : leases.changed(key, signal);
      const seen = await this.#look().catch((error: unknown) => {
        // The sign-in continues, wherever it runs: an engine that is back in time has its result.
        awaySince ??= clock.monotonic();
        if (error instanceof StoreAwayError && clock.monotonic() - awaySince < MAX_AWAY_MS) return undefined;
        throw error;
      });
      if (seen === undefined) {
        await pause();
        continue;
      }
      awaySince = undefined;
      const { holder, status, record } = seen;
      if (record !== undefined) return onRecord(record);
      if (holder !== undefined && holder !== nonce) this.#hide();
      nonce = holder ?? nonce;
      const failed = status?.phase === 'failed' && status.nonce === nonce ? status : undefined;
      if (isFirst && mayStart !== undefined) failedBefore = failed?.nonce;
      const isOver = failedBefore !== undefined && failedBefore === nonce;
      if (!isOver && status !== undefined && (nonce === undefined || status.nonce === nonce))
        this.#show(status);
      if (!isOver && failed !== undefined) throw failureOf(failed);
      const isKilled = status !== undefined && status.nonce === nonce && wasKilled(status);
      if (
        holder === undefined &&
        mayStart !== undefined &&
        (isOver || isKilled || status?.phase === 'done')
      ) {
        const started = await mayStart();
        if (started.kind === 'usable') return onRecord(started.record);
        this.#hide();
        nonce = started.nonce;
        mayStart = undefined;
      } else if (holder === undefined) {
        throw new SignInEndedError(undefined, 'the sign-in ended without an answer', {
          hint: 'Try again to start another one.',
        });
      }
      await pause();
    }
  }

  /** In this order: a sign-in writes the record, then its status, then releases the lease. */
  async #look() {
    const { leases, key, clock, usable } = this.#deps;
    const holder = await leases.holder(key, clock.now());
    const status = await leases.readStatus(key);
    return { holder, status, record: await usable() };
  }

  /** Another sign-in is followed from now on: nobody listens at the address of the one before it. */
  #hide(): void {
    this.address = undefined;
    this.userCode = undefined;
    this.codeAddress = undefined;
    this.browserOpened = false;
  }

  #show(status: SignInStatus): void {
    this.deadline = status.deadline;
    // An earlier time belongs to another sign-in: this one opened no browser.
    this.browserOpened = (status.browserOpenedAt ?? 0) >= status.startedAt;
    if (status.address === undefined || status.address === this.address) return;
    admitResource(status.address);
    this.address = status.address;
    this.userCode = status.userCode;
    this.codeAddress = status.codeAddress;
    for (const listener of this.#listeners) listener(status.address, status.userCode);
  }
}

function failureOf({ error }: SignInStatus): SignInEndedError {
  const { code, message, hint } = error ?? {};
  return new SignInEndedError(code, message ?? 'the sign-in failed', hint === undefined ? {} : { hint });
}
