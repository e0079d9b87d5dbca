import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../platform/random.ts';
import { randomToken } from '../../platform/random.ts';

/** What the signature of a state covers. */
export interface StateClaims {
  /** Refers to the call kept in this process; the state itself contains nothing of the call. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The method and name or URI of the call to which the state belongs. */
  readonly call: string;
}

/**
 * Issues and checks the bridge's own `requestState`. A host may send back anything (specification 2026-07-28, Multi Round-Trip Requests → Server
 * Requirements 4 and 5), so a state is bound to its call and an expiry time and signed with a key that lives as long as the process.
 */
export class RequestStates {
  readonly #key: Uint8Array;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.#key = random.bytes(32);
  }

  /** Issues a state for `call`; `expiresAt` in milliseconds since the epoch. */
  issue(call: string, expiresAt: number): { readonly id: string; readonly state: string } {
    const id = randomToken(this.#random, 128);
    return { id, state: `${id}.${expiresAt}.${this.#sign({ id, expiresAt, call })}` };
  }

  /** The id of a state that was issued for this call and has not expired; otherwise undefined. */
  verify(state: unknown, call: string, now: number): string | undefined {
    if (typeof state !== 'string') return undefined;
    const [id = '', time = '', signature = ''] = state.split('.');
    const expiresAt = Number(time);
    const wanted = Buffer.from(this.#sign({ id, expiresAt, call }));
    const given = Buffer.from(signature);
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return undefined;
    return now <= expiresAt ? id : undefined;
  }

  #sign({ id, expiresAt, call }: StateClaims): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([id, expiresAt, call]))
      .digest('base64url');
  }
}
