import type { Bearer } from '../../auth/authorization.ts';

/** What a reported 401 is about. */
export type ReportedRefusal =
  /** A token that has been replaced since: what the caller gets next is another one already. */
  { readonly kind: 'replaced' } | RefusedToken;

export interface RefusedToken {
  readonly kind: 'refused';
  /** Undefined: the request had no token. */
  readonly bearer: Bearer | undefined;
  /** The server has taken it before, as far as can be told. */
  readonly worked: boolean;
}

/** A 401 for a request of before the replacement arrives within this time, or is taken for one about the new token. Milliseconds. */
const LATE_MS = 10_000;

/** Tokens in a row that may be refused with nothing to show that one was taken: a program that calls once in a while looks like that, too. */
const MAX_UNPROVEN = 3;

/**
 * Tokens as the SDK 2.x asks for them (`AuthProvider`): one before each request, and a report after a 401 that does not say which token was
 * refused, nor does anything say which was taken. After a report the SDK asks once more and sends the request again; a 401 to that is not reported.
 */
export class HandedOutTokens {
  #bearer: Bearer | undefined;
  #since = Number.NEGATIVE_INFINITY;
  /** Requests with this token whose 401 would be reported. */
  #requests = 0;
  /** Requests that are about to be sent again. */
  #retries = 0;
  #isReported = false;
  /** Tokens that were reported since one was seen to be taken. */
  #unproven = 0;

  /** @param now Monotonic milliseconds. */
  handOut(bearer: Bearer | undefined, now: number): void {
    if (bearer?.token !== this.#bearer?.token) {
      this.#requests = 0;
      this.#since = now;
      this.#isReported = false;
    }
    this.#bearer = bearer;
    if (this.#retries > 0) this.#retries--;
    else this.#requests++;
    // Another request with the same token: as a rule the one before it has come back without a report.
    if (this.#requests > 1) this.#unproven = 0;
  }

  /** A 401 was reported. @param now Monotonic milliseconds. */
  reported(now: number): ReportedRefusal {
    if (this.#requests === 0 && this.#bearer !== undefined && now - this.#since < LATE_MS) {
      return { kind: 'replaced' };
    }
    if (!this.#isReported) this.#unproven++;
    this.#isReported = true;
    return { kind: 'refused', bearer: this.#bearer, worked: this.#unproven <= MAX_UNPROVEN };
  }

  /** What was reported is dealt with: the request is sent again. */
  answered(): void {
    this.#retries++;
  }
}
