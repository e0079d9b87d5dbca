import type { Bearer } from '../../auth/authorization.ts';

/** The token that a reported 401 is about. */
export type ReportedRefusal =
  /** A token that has been replaced since: the caller's next token differs already. */
  { readonly kind: 'replaced' } | RefusedToken;

export interface RefusedToken {
  readonly kind: 'refused';
  /** Undefined: the request had no token. */
  readonly bearer: Bearer | undefined;
  /** The server has accepted it before, as far as is known. */
  readonly worked: boolean;
}

/** A 401 for a request from before the replacement arrives within this time, or is taken for one about the new token. Milliseconds. */
const LATE_MS = 10_000;

/** How many tokens in a row may be refused without proof that one was accepted: a program that calls rarely looks the same. */
const MAX_UNPROVEN = 3;

/**
 * Tokens as the SDK 2.x requests them (`AuthProvider`): one before each request, and a report after a 401. Nothing says which token was refused, or which was
 * accepted. After a report the SDK requests another token and sends the request again; a 401 to that is not reported.
 */
export class HandedOutTokens {
  #bearer: Bearer | undefined;
  #since = Number.NEGATIVE_INFINITY;
  /** Requests with this token for which a 401 would be reported. */
  #requests = 0;
  /** Requests that are about to be sent again. */
  #retries = 0;
  #isReported = false;
  /** Tokens that were reported since one was known to be accepted. */
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
    // Another request with the same token: usually the one before it has returned without a report.
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

  /** The report was handled: the request is sent again. */
  answered(): void {
    this.#retries++;
  }
}
