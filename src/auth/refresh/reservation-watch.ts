import type { ReservationState } from '../../store/reservation/reservation.ts';
import type { WatchedReservation } from './decisions.ts';

/**
 * How long each reservation has shown no sign of life. Measured by this process's own monotonic clock, from its own first look: the times of the file were set
 * by another machine, whose clock may be wrong.
 */
export class ReservationWatch {
  readonly #seen = new Map<number, { readonly sign: string; readonly since: number }>();

  /** `monotonic`: now, in milliseconds. */
  observe(reservations: readonly ReservationState[], monotonic: number): WatchedReservation[] {
    return reservations.map((reservation) => {
      const before = this.#seen.get(reservation.number);
      const since = before?.sign === reservation.sign ? before.since : monotonic;
      this.#seen.set(reservation.number, { sign: reservation.sign, since });
      return { ...reservation, silentMs: monotonic - since };
    });
  }
}

/** Whether nothing has happened to any of them between two looks. */
export function areUnchanged(
  before: readonly ReservationState[],
  after: readonly ReservationState[],
): boolean {
  const serialized = (reservations: readonly ReservationState[]) =>
    JSON.stringify(reservations.map(({ number, sign, request }) => [number, sign, request.kind]));
  return serialized(before) === serialized(after);
}
