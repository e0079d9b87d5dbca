import { describe, expect, it } from 'vitest';
import {
  compareRanks,
  nextAnswer,
  nextLogin,
  type Rank,
} from '../../../../src/store/shared/protocol/rank.ts';

const rank = (login: number, generation: number, request: number): Rank => ({ login, generation, request });

describe('ranks', () => {
  const inOrder = [
    undefined,
    rank(1, 0, 0),
    rank(1, 0, 9),
    rank(1, 1, 0),
    rank(1, 1, 5),
    rank(1, 2, 1),
    rank(2, 0, 0),
    rank(2, 1, 0),
  ];

  it('are ordered by login, then by generation, then by reservation, and no rank is the earliest', () => {
    inOrder.forEach((one, i) => {
      inOrder.forEach((other, j) => {
        expect(Math.sign(compareRanks(one, other))).toBe(Math.sign(i - j));
      });
    });
  });

  it('grow with a login: to the time of the engine, or by one if that is not greater', () => {
    expect(nextLogin(undefined, 0)).toEqual(rank(1, 0, 0));
    expect(nextLogin(undefined, 1_000)).toEqual(rank(1_000, 0, 0));
    expect(nextLogin(rank(5, 3, 2), 1_000)).toEqual(rank(1_000, 0, 0));
    expect(nextLogin(rank(5_000, 3, 2), 1_000)).toEqual(rank(5_001, 0, 0));
  });

  it('grow with a response: by one generation of the same login', () => {
    expect(nextAnswer(rank(5, 3, 2), 7)).toEqual(rank(5, 4, 7));
  });
});
