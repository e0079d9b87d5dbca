/** Tells which of two states of a credential is the later one. Compared in this order; each part only ever grows. */
export interface Rank {
  /** Grows with each sign-in and each logout: set to the engine's time if that is greater, so that one lost in a failover has no equal. */
  readonly login: number;
  /** Grows with each response of the token endpoint. */
  readonly generation: number;
  /**
   * When the request was about to be sent, by the engine's clock; 0: no request was involved. Of two responses to one token, from a server that allows that,
   * the one to the later request counts.
   */
  readonly request: number;
}

/** Positive: `one` is later; negative: `other` is; 0: they are the same state. `undefined`, no state yet, is the earliest. */
export function compareRanks(one: Rank | undefined, other: Rank | undefined): number {
  if (one === undefined || other === undefined)
    return Number(one !== undefined) - Number(other !== undefined);
  return one.login - other.login || one.generation - other.generation || one.request - other.request;
}

/** The rank of a sign-in or logout that follows `before`. `now`: the engine's clock. */
export function nextLogin(before: Rank | undefined, now: number): Rank {
  return { login: Math.max((before?.login ?? 0) + 1, now), generation: 0, request: 0 };
}

/** The rank of the response to the token of `before`, whose request was about to be sent at `request` by the engine's clock. */
export function nextAnswer(before: Rank, request: number): Rank {
  return { login: before.login, generation: before.generation + 1, request };
}
