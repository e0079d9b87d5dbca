/** A token that was not refused for this long counts as accepted, even if no caller has reported that it works. */
const PROVEN_AFTER_MS = 5 * 60_000;
/** src/README.md, "Expiry": a 401 on the token that answered a 401 is an error, not another round. */
const MAX_IN_A_ROW = 2;

/** Tokens that the server refused one after the other, without accepting one in between. */
export class RefusedTokens {
  readonly #row = new Set<string>();
  #replacedAt = Number.NEGATIVE_INFINITY;
  #isDoubted = false;

  has(token: string): boolean {
    return this.#row.has(token);
  }

  /** A refused token was replaced. */
  replaced(monotonic: number): void {
    this.#replacedAt = monotonic;
  }

  /** True: replacing tokens does not help. */
  add(token: string, monotonic: number): boolean {
    if (monotonic - this.#replacedAt >= PROVEN_AFTER_MS) this.clear();
    this.#row.add(token);
    return this.#row.size >= MAX_IN_A_ROW;
  }

  /** Once in a row: a server that names another issuer at each request must not cause endless sign-ins. */
  mayRecheckIssuer(): boolean {
    const isFirst = !this.#isDoubted;
    this.#isDoubted = true;
    return isFirst;
  }

  clear(): void {
    this.#isDoubted = false;
    this.#row.clear();
  }
}
