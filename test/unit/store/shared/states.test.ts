import { describe, expect, it, test } from 'vitest';
import type { CredentialCell, State } from '../../../../src/store/shared/protocol/cell.ts';
import {
  answerState,
  broughtUp,
  clearReservations,
  emptyCell,
  heldBackMs,
  laterState,
  noteEpoch,
  putAnswer,
  putLogin,
  putNote,
  putRemoval,
  recordOf,
  repaired,
} from '../../../../src/store/shared/protocol/decisions.ts';
import { TIMING } from '../../../../src/store/shared/protocol/timing.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';
import { AS_IS, at, cellOf, HASH, me, put, rank, refused, removed, start, state } from './cells.ts';

const { version: _version, revision: _revision, ...record } = wholeRecord;
const later: State = { ...state, rank: { ...rank, generation: 4 } };
const reservation = {
  hash: HASH,
  number: 1,
  ...me('a'),
  state: 'maybe',
  until: 130_000,
  doubt: false,
} as const;
const hold = { ...me('a'), since: 1_000, until: 11_000 };
const busy: CredentialCell = { ...start, reservation, hold };

describe('which state counts', () => {
  it('the later one, and of equal ones the stored one', () => {
    expect(laterState(undefined, undefined)).toBeUndefined();
    expect(laterState(state, undefined)).toBe(state);
    expect(laterState(undefined, state)).toBe(state);
    expect(laterState(state, later)).toBe(later);
    expect(laterState(later, state)).toBe(later);
    const stored = { ...state };
    expect(laterState(stored, state)).toBe(stored);
  });

  it('repairs only what is earlier than what this process knows', () => {
    expect(repaired(undefined, undefined, at(9))).toEqual(AS_IS);
    expect(repaired(start, undefined, at(9))).toEqual(AS_IS);
    expect(repaired(start, state, at(9))).toEqual(AS_IS);
    expect(repaired({ ...start, state: later }, state, at(9))).toEqual(AS_IS);
    expect(repaired(busy, later, at(9, 'e2'))).toEqual(
      put({ version: 1, state: later, hold, epoch: { id: 'e1', since: 0 } }),
    );
  });

  it('repairs a cell that is gone or empty as one whose reservations may be gone, too', () => {
    const epoch = { id: 'e2', since: 9 };
    expect(repaired(undefined, state, at(9, 'e2'))).toEqual(put({ version: 1, state, epoch }));
    const empty = { ...emptyCell(at(5)), hold };
    expect(repaired(empty, state, at(9, 'e2'))).toEqual(put({ version: 1, state, hold, epoch }));
  });
});

describe('the epoch of the engine', () => {
  it('is recorded with its time when it is another one', () => {
    expect(noteEpoch(undefined, at(9, 'e2'), TIMING)).toEqual(AS_IS);
    expect(noteEpoch(start, at(9, 'e1'), TIMING)).toEqual(AS_IS);
    expect(noteEpoch(start, at(9, ''), TIMING)).toEqual(AS_IS);
    expect(noteEpoch({ ...start, hold }, at(9, 'e2'), TIMING)).toEqual(
      put({ ...start, hold, epoch: { id: 'e2', since: 9 } }),
    );
  });

  it.each([
    ['held', 130_000],
    ['lost', 130_000],
    ['maybe', 120_009],
  ] as const)('is another one: a reservation that is %s ends at %s', (state, until) =>
    expect(noteEpoch({ ...start, reservation: { ...reservation, state } }, at(9, 'e2'), TIMING)).toEqual(
      put({ ...start, reservation: { ...reservation, state, until }, epoch: { id: 'e2', since: 9 } }),
    ),
  );

  it('is recorded together with a repair', () => {
    expect(broughtUp(start, state, at(9), TIMING)).toEqual(AS_IS);
    expect(broughtUp(undefined, undefined, at(9), TIMING)).toEqual(AS_IS);
    expect(broughtUp(start, later, at(9), TIMING)).toEqual(put({ ...start, state: later }));
    const epoch = { id: 'e2', since: 9 };
    expect(broughtUp(start, state, at(9, 'e2'), TIMING)).toEqual(put({ ...start, epoch }));
    expect(broughtUp(busy, later, at(9, 'e2'), TIMING)).toEqual(
      put({ version: 1, state: later, hold, epoch }),
    );
  });

  it.each([
    ['nothing was lost', 0, 9_000, 'e1', 0],
    ['the cell is of another epoch', 0, 9_000, 'e2', 45_000],
    ['the engine tells no epoch', 0, 9_000, '', 0],
    ['it has just begun', 9_000, 9_000, 'e1', 45_000],
    ['it began a while ago', 9_000, 29_000, 'e1', 25_000],
    ['it began a while ago, and none is told', 9_000, 29_000, '', 25_000],
    ['it began long enough ago', 9_000, 54_000, 'e1', 0],
    ['it begins in a moment, by a clock that is a little ahead', 9_000, 8_000, 'e1', 45_000],
    ['it begins much later, by a wrong clock', 54_000, 9_000, 'e1', 0],
  ])('%s (since %s, now %s, epoch %j): nobody reserves a token for %s ms', (_, since, now, epoch, ms) =>
    expect(heldBackMs({ ...start, epoch: { id: 'e1', since } }, at(now, epoch), TIMING)).toBe(ms),
  );
});

describe('the response to a refresh request', () => {
  const next: State = { ...state, rank: { login: 5, generation: 4, request: 7 } };

  it('is the next generation of the record that was reserved', () => {
    expect(answerState(state, record, 9.5)).toEqual({
      content: { kind: 'record', record: { ...record, version: 1, revision: 9 } },
      rank: { login: 5, generation: 4, request: 9.5 },
    });
    expect(answerState(state, record, 3)).toMatchObject({ content: { record: { revision: 8 } } });
  });

  it('ends the reservation of its token, and the hold of its process', () => {
    expect(putAnswer(busy, { state: next, hash: HASH }, me('a'), at(9))).toEqual(
      put({ version: 1, state: next, epoch: start.epoch }),
    );
    expect(putAnswer(busy, { state: next, hash: 'other' }, me('b'), at(9))).toEqual(
      put({ ...busy, state: next }),
    );
    expect(putAnswer(busy, { state: next, hash: 'other' }, undefined, at(9))).toEqual(
      put({ ...busy, state: next }),
    );
    expect(putAnswer(start, { state: next, hash: HASH }, undefined, at(9))).toEqual(
      put({ ...start, state: next }),
    );
  });

  it('makes a cell where there was none, in which reservations may be lost', () => {
    expect(putAnswer(undefined, { state: next, hash: HASH }, me('a'), at(9, 'e2'))).toEqual(
      put({ version: 1, state: next, epoch: { id: 'e2', since: 9 } }),
    );
  });

  it('is put into a cell that was only held', () => {
    const empty = { ...emptyCell(at(5)), hold };
    expect(putAnswer(empty, { state: next, hash: HASH }, me('b'), at(9))).toEqual(
      put({ ...empty, state: next }),
    );
  });

  it('that is stored already only ends the hold', () => {
    const answer = { state, hash: HASH };
    expect(putAnswer(busy, answer, me('a'), at(9))).toEqual(put({ ...start, reservation }));
    expect(putAnswer(busy, answer, me('b'), at(9))).toEqual(AS_IS);
    expect(putAnswer(busy, answer, undefined, at(9))).toEqual(AS_IS);
    expect(putAnswer(start, answer, me('a'), at(9))).toEqual(AS_IS);
    expect(putAnswer(start, answer, undefined, at(9))).toEqual(AS_IS);
  });

  it('is refused when a later one is stored, or another of the same rank', () => {
    expect(putAnswer({ ...start, state: later }, { state, hash: HASH }, undefined, at(9))).toEqual(
      refused('superseded'),
    );
    const tokens = { accessToken: 'another', tokenType: 'Bearer', obtainedAt: 1 } as const;
    const other: State = { content: { kind: 'record', record: { ...wholeRecord, tokens } }, rank };
    const gone: State = { content: { kind: 'removed', family: 'family-1' }, rank };
    for (const [stored, answer] of [
      [other, state],
      [gone, state],
      [state, gone],
    ] as const)
      expect(putAnswer({ ...start, state: stored }, { state: answer, hash: HASH }, undefined, at(9))).toEqual(
        refused('superseded'),
      );
    const { tokens: _tokens, ...without } = wholeRecord;
    const bare: State = { content: { kind: 'record', record: without }, rank };
    expect(putAnswer({ ...start, state: bare }, { state, hash: HASH }, undefined, at(9))).toEqual(
      refused('superseded'),
    );
    expect(putAnswer(start, { state: bare, hash: HASH }, undefined, at(9))).toEqual(refused('superseded'));
  });
});

describe('a login', () => {
  const stored = (revision: number) => ({ kind: 'record', record: { ...record, version: 1, revision } });

  it('replaces any state, with a later rank, and voids reservations', () => {
    expect(putLogin(undefined, record, at(9.5, 'e2'))).toEqual(
      put({
        version: 1,
        state: { content: stored(9), rank: { login: 9.5, generation: 0, request: 0 } },
        epoch: { id: 'e2', since: 0 },
      } as CredentialCell),
    );
    expect(putLogin(busy, record, at(3, 'e2'))).toEqual(
      put({
        version: 1,
        hold,
        state: { content: stored(8), rank: { login: 6, generation: 0, request: 0 } },
        epoch: { id: 'e2', since: 0 },
      } as CredentialCell),
    );
    expect(cellOf(putLogin(removed(), record, at(3))).state?.rank.login).toBe(7);
    expect(cellOf(putLogin({ ...emptyCell(at(1)), hold }, record, at(3))).state?.rank.login).toBe(3);
  });

  it('that is put once more keeps its number', () => {
    const cell = cellOf(putLogin(undefined, record, at(9)));
    expect(putLogin(cell, record, at(20), 9)).toEqual(AS_IS);
    expect(cellOf(putLogin(undefined, record, at(20), 9)).state?.rank.login).toBe(9);
    expect(cellOf(putLogin({ ...emptyCell(at(1)), hold }, record, at(20), 9)).state?.rank.login).toBe(9);
    expect(cellOf(putLogin(start, record, at(20), 9)).state?.rank.login).toBe(9);
    // A login that came in between: this one is the later of the two.
    expect(
      cellOf(putLogin(cellOf(putLogin(start, record, at(12))), record, at(20), 9)).state?.rank.login,
    ).toBe(13);
  });

  it('that was removed after it was put is not put once more', () => {
    expect(putLogin(removed(), record, at(20), 5)).toEqual(refused('superseded'));
    expect(cellOf(putLogin(removed('family-2'), record, at(20), 5)).state?.rank.login).toBe(7);
    expect(cellOf(putLogin(removed(), record, at(20))).state?.rank.login).toBe(20);
  });

  it('that is removed leaves a mark of its family, and no reservation', () => {
    expect(putRemoval(undefined, at(9))).toEqual(AS_IS);
    expect(putRemoval({ ...emptyCell(at(1)), hold }, at(9))).toEqual(AS_IS);
    expect(putRemoval(removed(), at(9))).toEqual(AS_IS);
    expect(putRemoval(busy, at(9))).toEqual(
      put({
        version: 1,
        hold,
        epoch: start.epoch,
        state: {
          content: { kind: 'removed', family: 'family-1' },
          rank: { login: 9, generation: 0, request: 0 },
        },
      }),
    );
  });

  test('its record is read from its state alone', () => {
    expect(recordOf(state)).toBe(wholeRecord);
    expect(recordOf(removed().state)).toBeUndefined();
    expect(recordOf(undefined)).toBeUndefined();
  });
});

describe('a note on the record that was read', () => {
  const expected = { revision: 7, family: 'family-1' };

  it('keeps the rank with the token, and the reservations', () => {
    const noted = { ...record, requestedScope: 'all' };
    const revised: State = {
      content: { kind: 'record', record: { ...noted, version: 1, revision: 9 } },
      rank,
    };
    for (const seen of [undefined, { rank }])
      expect(putNote(busy, noted, expected, seen, at(9))).toEqual(put({ ...busy, state: revised }));
  });

  it('voids the reservation of a token that is dead', () => {
    const dead = { ...record, deadRefreshTokenHash: HASH };
    expect(cellOf(putNote(busy, dead, expected, undefined, at(9))).reservation).toBeUndefined();
    const { deadRefreshTokenHash: _hash, ...alive } = record;
    expect(cellOf(putNote(busy, alive, expected, undefined, at(9))).reservation).toEqual(reservation);
  });

  it('with another token is a later state of the same login', () => {
    const tokens = { accessToken: 'another', tokenType: 'Bearer', obtainedAt: 1 } as const;
    expect(cellOf(putNote(start, { ...record, tokens }, expected, undefined, at(9))).state).toEqual({
      content: { kind: 'record', record: { ...record, tokens, version: 1, revision: 9 } },
      rank: { login: 5, generation: 4, request: 9 },
    });
    const { tokens: _tokens, ...without } = record;
    expect(cellOf(putNote(start, without, expected, undefined, at(9))).state?.rank).toEqual({
      login: 5,
      generation: 4,
      request: 9,
    });
    const bare: CredentialCell = {
      ...start,
      state: { content: { kind: 'record', record: { ...without, version: 1, revision: 7 } }, rank },
    };
    expect(cellOf(putNote(bare, record, expected, undefined, at(9))).state?.rank.generation).toBe(4);
  });

  it('of another family is another login, whose rank grows by one only', () => {
    const other = { ...record, family: 'family-2' };
    expect(putNote(busy, other, expected, undefined, at(9))).toEqual(
      put({
        version: 1,
        hold,
        state: {
          content: { kind: 'record', record: { ...other, version: 1, revision: 9 } },
          rank: { login: 6, generation: 0, request: 0 },
        },
        epoch: { id: 'e1', since: 0 },
      }),
    );
  });

  it('is refused when another state is stored than the one that was read', () => {
    const superseded = refused('superseded');
    expect(putNote(start, record, { ...expected, revision: 6 }, undefined, at(9))).toEqual(superseded);
    expect(putNote(start, record, null, undefined, at(9))).toEqual(superseded);
    expect(putNote(undefined, record, expected, undefined, at(9))).toEqual(superseded);
    expect(putNote(start, record, expected, { rank: later.rank }, at(9))).toEqual(superseded);
    expect(putNote(start, record, expected, { rank: undefined }, at(9))).toEqual(superseded);
    expect(putNote(undefined, record, null, { rank }, at(9))).toEqual(superseded);
  });

  it('makes the first login with the lowest rank, unless a login of its family was removed', () => {
    for (const seen of [undefined, { rank: undefined }])
      expect(cellOf(putNote(undefined, record, null, seen, at(9))).state?.rank).toEqual({
        login: 1,
        generation: 0,
        request: 0,
      });
    const held = { ...emptyCell(at(5)), hold };
    for (const seen of [undefined, { rank: undefined }])
      expect(cellOf(putNote(held, record, null, seen, at(9))).hold).toEqual(hold);
    expect(putNote(removed(), record, null, undefined, at(9))).toEqual(refused('superseded'));
    expect(cellOf(putNote(removed('family-2'), record, null, undefined, at(9))).state?.rank.login).toBe(7);
  });
});

test('reservations of a token are cleared, and those of another stay', () => {
  expect(clearReservations(undefined, HASH)).toEqual(AS_IS);
  expect(clearReservations(start, HASH)).toEqual(AS_IS);
  expect(clearReservations(busy, 'other')).toEqual(AS_IS);
  expect(clearReservations(busy, HASH)).toEqual(put({ ...start, hold }));
});

test('an empty cell is of the engine’s epoch, and nothing was lost before', () => {
  expect(emptyCell(at(9, 'e2'))).toEqual({ version: 1, epoch: { id: 'e2', since: 0 } });
});
