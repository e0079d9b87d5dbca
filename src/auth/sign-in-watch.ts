import type { Clock } from '../platform/clock.ts';
import type { Leases, SignInFace } from '../store/lease.ts';
import type { CredentialRecord } from '../store/record.ts';
import type { Bearer, SignInWatch } from './authorization.ts';
import { SignInEndedError } from './authorization-errors.ts';

export interface WatchTools {
  readonly leases: Leases;
  readonly key: string;
  readonly clock: Clock;
  /** The record, once it holds a token that may serve. */
  readonly usable: () => Promise<CredentialRecord | undefined>;
  /** Told before anybody who waits. */
  readonly onRecord: (record: CredentialRecord) => Bearer;
}

/**
 * Polled, not watched: fs.watch misses changes on network drives and in containers, and costs a handle per bridge; a look is two
 * small reads, for the minutes that a person takes.
 */
const TURN_MS = 250;

/** Follows a sign-in that some process does, from what it leaves in the store. */
export class SignInFollower implements SignInWatch {
  address: string | undefined;
  userCode: string | undefined;
  codeAddress: string | undefined;
  deadline: number | undefined;
  readonly done: Promise<Bearer>;
  readonly #tools: WatchTools;
  readonly #listeners = new Set<(address: string, userCode?: string) => void>();

  /** `nonce`: the lease's; a face with another is an earlier sign-in's. */
  constructor(tools: WatchTools, nonce: string | undefined, signal: AbortSignal) {
    this.#tools = tools;
    this.done = this.#follow(nonce, signal);
    // Whoever asks gets the reason; a bridge that nobody asks must not end for it.
    this.done.catch(() => {});
  }

  onAddress(listener: (address: string, userCode?: string) => void): void {
    this.#listeners.add(listener);
    if (this.address !== undefined) listener(this.address, this.userCode);
  }

  async #follow(first: string | undefined, signal: AbortSignal): Promise<Bearer> {
    const { leases, key, clock, usable, onRecord } = this.#tools;
    for (let nonce = first; ; ) {
      // In this order: a sign-in writes the record, then its face, then gives the lease back.
      const holder = await leases.holder(key, clock.now());
      const face = await leases.readFace(key);
      const record = await usable();
      if (record !== undefined) return onRecord(record);
      nonce = holder ?? nonce;
      if (face !== undefined && (nonce === undefined || face.nonce === nonce)) this.#show(face);
      if (face?.phase === 'failed' && face.nonce === nonce) throw failureOf(face);
      if (holder === undefined) {
        throw new SignInEndedError(undefined, 'the sign-in ended without an answer', {
          hint: 'Ask again to start another one.',
        });
      }
      await clock.sleep(TURN_MS, signal);
    }
  }

  #show(face: SignInFace): void {
    this.deadline = face.deadline;
    if (face.address === undefined || face.address === this.address) return;
    this.address = face.address;
    this.userCode = face.userCode;
    this.codeAddress = face.codeAddress;
    for (const listener of this.#listeners) listener(face.address, face.userCode);
  }
}

function failureOf({ error }: SignInFace): SignInEndedError {
  const { code, message, hint } = error ?? {};
  return new SignInEndedError(code, message ?? 'the sign-in failed', hint === undefined ? {} : { hint });
}
