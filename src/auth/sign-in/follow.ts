import type { Clock } from '../../platform/clock.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import { admitResource } from '../../redaction/query-secrets.ts';
import type { Leases, SignInStatus } from '../../store/lease/lease.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import type { Bearer } from '../authorization.ts';
import { SignInEndedError } from '../errors/errors.ts';

export interface FollowSignInDeps {
  readonly leases: Leases;
  readonly key: string;
  readonly clock: Clock;
  /** The record, once it holds a token that may serve. */
  readonly usable: () => Promise<CredentialRecord | undefined>;
  /** Told before anybody who waits. */
  readonly onRecord: (record: CredentialRecord) => Bearer;
}

/** What came of asking for a sign-in; `nonce`: of the one that is going on now. */
export type LeaseOutcome =
  | { readonly kind: 'usable'; readonly record: CredentialRecord }
  | { readonly kind: 'begun'; readonly nonce: string }
  | { readonly kind: 'held'; readonly nonce: string | undefined };

/**
 * Polled, not watched: fs.watch misses changes on network drives and in containers, and costs a handle per bridge; a look is two
 * small reads, for the minutes that a person takes.
 */
const TURN_MS = 250;

/** Follows a sign-in that some process does, from what it leaves in the store. */
export class SignInFollower implements PendingSignInStatus {
  address: string | undefined;
  userCode: string | undefined;
  codeAddress: string | undefined;
  deadline: number | undefined;
  readonly done: Promise<Bearer>;
  readonly #tools: FollowSignInDeps;
  readonly #listeners = new Set<(address: string, userCode?: string) => void>();

  /**
   * `nonce`: the lease's; a face with another is an earlier sign-in's. `again`: begins another, once, where this one ends well and
   * leaves nothing that is of use here, or had failed before it was followed.
   */
  constructor(
    tools: FollowSignInDeps,
    nonce: string | undefined,
    signal: AbortSignal,
    again?: () => Promise<LeaseOutcome>,
  ) {
    this.#tools = tools;
    this.done = this.#follow(nonce, signal, again);
    // Whoever asks gets the reason; a bridge that nobody asks must not end for it.
    this.done.catch(() => {});
  }

  onAddress(listener: (address: string, userCode?: string) => void): void {
    this.#listeners.add(listener);
    if (this.address !== undefined) listener(this.address, this.userCode);
  }

  async #follow(
    first: string | undefined,
    signal: AbortSignal,
    again: (() => Promise<LeaseOutcome>) | undefined,
  ): Promise<Bearer> {
    const { leases, key, clock, usable, onRecord } = this.#tools;
    let mayBegin = again;
    /** One that had failed before it was followed, and has its lease still: somebody asked anew after hearing of it. */
    let overBefore: string | undefined;
    for (let nonce = first, isFirst = true; ; isFirst = false) {
      // In this order: a sign-in writes the record, then its face, then gives the lease back.
      const holder = await leases.holder(key, clock.now());
      const face = await leases.readStatus(key);
      const record = await usable();
      if (record !== undefined) return onRecord(record);
      nonce = holder ?? nonce;
      const failed = face?.phase === 'failed' && face.nonce === nonce ? face : undefined;
      if (isFirst && mayBegin !== undefined) overBefore = failed?.nonce;
      const isOver = overBefore !== undefined && overBefore === nonce;
      if (!isOver && face !== undefined && (nonce === undefined || face.nonce === nonce)) this.#show(face);
      if (!isOver && failed !== undefined) throw failureOf(failed);
      if (holder === undefined && mayBegin !== undefined && (isOver || face?.phase === 'done')) {
        const begun = await mayBegin();
        if (begun.kind === 'usable') return onRecord(begun.record);
        nonce = begun.nonce;
        mayBegin = undefined;
      } else if (holder === undefined) {
        throw new SignInEndedError(undefined, 'the sign-in ended without an answer', {
          hint: 'Ask again to start another one.',
        });
      }
      await clock.sleep(TURN_MS, signal);
    }
  }

  #show(face: SignInStatus): void {
    this.deadline = face.deadline;
    if (face.address === undefined || face.address === this.address) return;
    admitResource(face.address);
    this.address = face.address;
    this.userCode = face.userCode;
    this.codeAddress = face.codeAddress;
    for (const listener of this.#listeners) listener(face.address, face.userCode);
  }
}

function failureOf({ error }: SignInStatus): SignInEndedError {
  const { code, message, hint } = error ?? {};
  return new SignInEndedError(code, message ?? 'the sign-in failed', hint === undefined ? {} : { hint });
}
