import { expect, test } from 'vitest';
import { areUnchanged, ReservationWatch } from '../../../../src/auth/refresh/reservation-watch.ts';
import type { ReservationState } from '../../../../src/store/reservation/reservation.ts';

const reservation = (number: number, sign: string, kind: 'no' | 'maybe' = 'no'): ReservationState => ({
  number,
  sign,
  owner: 'unknown',
  ageMs: 0,
  hasHeartbeat: true,
  request: { kind },
});

test('silence is counted from the first look, again from each sign of life, and separately for each reservation', () => {
  const watch = new ReservationWatch();
  const silences = (reservations: ReservationState[], at: number) =>
    watch.observe(reservations, at).map(({ silentMs }) => silentMs);
  expect(silences([reservation(1, 'a')], 5_000)).toEqual([0]);
  expect(silences([reservation(1, 'a'), reservation(2, 'x')], 7_000)).toEqual([2_000, 0]);
  expect(silences([reservation(1, 'b'), reservation(2, 'x')], 8_000)).toEqual([0, 1_000]);
  expect(silences([reservation(1, 'b'), reservation(2, 'x')], 20_000)).toEqual([12_000, 13_000]);
  expect(silences([reservation(1, 'c')], 21_000)).toEqual([0]);
});

test.each<[string, ReservationState[], boolean]>([
  ['nothing', [reservation(1, 'a')], true],
  ['a sign of life', [reservation(1, 'b')], false],
  ['it may have sent', [reservation(1, 'a', 'maybe')], false],
  ['it is gone', [], false],
  ['another one', [reservation(1, 'a'), reservation(2, 'x')], false],
])('what happened between two looks: %s', (_, after, expected) => {
  expect(areUnchanged([reservation(1, 'a')], after)).toBe(expected);
});
