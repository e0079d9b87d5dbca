import type { ReservationState } from '../../store/reservation/reservation.ts';
import type { WatchedClaim } from './decisions.ts';

/**
 * For how long each claim has shown no sign of life. By this process's own monotonic clock, from its own first look: the times of the
 * file are another machine's, whose clock may be wrong.
 */
export class ClaimWatch {
  readonly #seen = new Map<number, { readonly sign: string; readonly since: number }>();

  look(claims: readonly ReservationState[], monotonic: number): WatchedClaim[] {
    return claims.map((claim) => {
      const before = this.#seen.get(claim.number);
      const since = before?.sign === claim.sign ? before.since : monotonic;
      this.#seen.set(claim.number, { sign: claim.sign, since });
      return { ...claim, silentMs: monotonic - since };
    });
  }
}

/** Nothing has happened to any of them between two looks. */
export function areUnchanged(
  before: readonly ReservationState[],
  after: readonly ReservationState[],
): boolean {
  const inWords = (claims: readonly ReservationState[]) =>
    JSON.stringify(claims.map(({ number, sign, spent }) => [number, sign, spent.kind]));
  return inWords(before) === inWords(after);
}
