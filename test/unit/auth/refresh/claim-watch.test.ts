import { expect, test } from 'vitest';
import { areUnchanged, ClaimWatch } from '../../../../src/auth/refresh/claim-watch.ts';
import type { ReservationState } from '../../../../src/store/reservation/reservation.ts';

const claim = (number: number, sign: string, kind: 'no' | 'maybe' = 'no'): ReservationState => ({
  number,
  sign,
  owner: 'unknown',
  ageMs: 0,
  hasHeartbeat: true,
  spent: { kind },
});

test('silence is counted from the first look, anew after each sign of life, for each claim by itself', () => {
  const watch = new ClaimWatch();
  const silences = (claims: ReservationState[], at: number) =>
    watch.look(claims, at).map(({ silentMs }) => silentMs);
  expect(silences([claim(1, 'a')], 5_000)).toEqual([0]);
  expect(silences([claim(1, 'a'), claim(2, 'x')], 7_000)).toEqual([2_000, 0]);
  expect(silences([claim(1, 'b'), claim(2, 'x')], 8_000)).toEqual([0, 1_000]);
  expect(silences([claim(1, 'b'), claim(2, 'x')], 20_000)).toEqual([12_000, 13_000]);
  expect(silences([claim(1, 'c')], 21_000)).toEqual([0]);
});

test.each<[string, ReservationState[], boolean]>([
  ['nothing', [claim(1, 'a')], true],
  ['a sign of life', [claim(1, 'b')], false],
  ['it may have sent', [claim(1, 'a', 'maybe')], false],
  ['it is gone', [], false],
  ['another one', [claim(1, 'a'), claim(2, 'x')], false],
])('what happened between two looks: %s', (_, after, expected) => {
  expect(areUnchanged([claim(1, 'a')], after)).toBe(expected);
});
