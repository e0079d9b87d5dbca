import { describe, expect, it } from 'vitest';
import type { CredentialCell, Reservation } from '../../../../src/store/shared/protocol/cell.ts';
import {
  dropHold,
  markLost,
  prepare,
  release,
  renewHold,
  reservations,
  reserve,
  takeHold,
} from '../../../../src/store/shared/protocol/decisions.ts';
import { TIMING } from '../../../../src/store/shared/protocol/timing.ts';
import { AS_IS, at, cellOf, HASH, me, put, rank, refused, removed, start } from './cells.ts';

describe('the hold', () => {
  const held: CredentialCell = { ...start, hold: { ...me('a'), since: 1_000, until: 11_000 } };

  it('is taken for ten seconds, also in a cell that does not exist yet', () => {
    expect(takeHold(start, me('a'), at(1_000), TIMING, 'unknown')).toEqual(put(held));
    expect(takeHold(undefined, me('a'), at(1_000, 'e2'), TIMING, 'unknown')).toEqual(
      put({ version: 1, epoch: { id: 'e2', since: 0 }, hold: { ...me('a'), since: 1_000, until: 11_000 } }),
    );
  });

  it.each([
    ['b', 10_999, 'unknown', false],
    ['b', 10_999, 'alive', false],
    ['b', 10_999, 'dead', true],
    ['b', 11_000, 'alive', true],
    ['b', 1_000, 'alive', false],
    ['b', 999, 'alive', true],
    ['a', 5_000, 'alive', true],
  ] as const)('of a is free for %s at %s, while a is %s: %s', (nonce, now, liveness, isFree) => {
    const decision = takeHold(held, me(nonce), at(now), TIMING, liveness);
    if (!isFree) return expect(decision).toEqual(refused('held'));
    expect(decision).toEqual(put({ ...start, hold: { ...me(nonce), since: now, until: now + 10_000 } }));
  });

  it('is renewed and dropped by its process alone', () => {
    expect(renewHold(held, me('a'), at(4_000), TIMING)).toEqual(
      put({ ...start, hold: { ...me('a'), since: 1_000, until: 14_000 } }),
    );
    for (const cell of [held, start, undefined])
      expect(renewHold(cell, me('b'), at(4_000), TIMING)).toEqual(refused('held'));
    expect(dropHold(held, me('a'))).toEqual(put(start));
    for (const cell of [held, start, undefined]) expect(dropHold(cell, me('b'))).toEqual(AS_IS);
  });
});

const cellWith = (changed: Partial<Reservation>): CredentialCell => ({
  ...start,
  reservation: { hash: HASH, number: 1, ...me('a'), state: 'held', until: 11_000, doubt: false, ...changed },
});
const signOf = (cell: CredentialCell) => reservations(cell, HASH, at(1), TIMING, 'unknown')[0]?.sign;

describe('a reservation', () => {
  const wanted = { hash: HASH, number: 1, before: rank, sign: undefined };
  const reserved = (cell: CredentialCell | undefined, change: Partial<typeof wanted> = {}, nonce = 'a') =>
    reserve(cell, { ...wanted, ...change }, me(nonce), at(1_000), TIMING);

  it('holds the token of the record that was read', () => {
    expect(reserved(start)).toEqual(put(cellWith({})));
    expect(reserved(cellWith({}), { number: 2 })).toEqual(AS_IS);
    for (const cell of [
      undefined,
      { version: 1, epoch: start.epoch } as const,
      removed(),
      {
        ...start,
        state: { ...(start.state as NonNullable<typeof start.state>), rank: { ...rank, request: 1 } },
      },
    ])
      expect(reserved(cell)).toEqual(refused('superseded'));
  });

  it('is refused while reservations may be lost', () => {
    expect(reserved({ ...start, epoch: { id: 'e1', since: 500 } })).toEqual(refused('quarantine'));
    expect(reserved({ ...start, epoch: { id: 'e0', since: 0 } })).toEqual(refused('quarantine'));
  });

  it('follows the reservation that was judged to be over, as it was seen', () => {
    const before = cellWith({});
    const sign = signOf(before) as unknown as undefined;
    const next = { ...me('b'), number: 2, until: 11_000 };
    expect(reserved(before, { number: 2, sign }, 'b')).toEqual(put(cellWith(next)));
    expect(reserved(before, { number: 1, sign }, 'b')).toEqual(refused('held'));
    expect(reserved(before, { number: 3, sign }, 'b')).toEqual(refused('held'));
    expect(reserved(before, { number: 2 }, 'b')).toEqual(refused('held'));
    expect(reserved(start, { number: 2 }, 'b')).toEqual(refused('held'));
    expect(reserved(start, { sign }, 'b')).toEqual(refused('held'));
    // A reservation of an earlier token is void.
    expect(reserved(cellWith({ hash: 'other' }), {}, 'b')).toEqual(put(cellWith(me('b'))));
  });

  it.each([
    [{ state: 'held', doubt: false }, false],
    [{ state: 'held', doubt: true }, true],
    [{ state: 'maybe', doubt: false }, true],
    [{ state: 'lost', doubt: false }, true],
  ] as const)('after %j the token may have been sent before: %s', (before, doubt) => {
    const cell = cellWith(before);
    const sign = signOf(cell) as unknown as undefined;
    expect(cellOf(reserved(cell, { number: 2, sign }, 'b')).reservation?.doubt).toBe(doubt);
  });

  it('becomes one that may be sent, for two minutes', () => {
    expect(prepare(cellWith({}), me('a'), at(1_001), TIMING)).toEqual(
      put(cellWith({ state: 'maybe', until: 121_001 })),
    );
    expect(prepare(cellWith({ state: 'maybe' }), me('a'), at(1_001), TIMING)).toEqual(AS_IS);
    const overtaken = refused('overtaken');
    expect(prepare(cellWith({ state: 'lost' }), me('a'), at(1_001), TIMING)).toEqual(overtaken);
    expect(prepare(cellWith({}), me('a'), at(1_001, 'e2'), TIMING)).toEqual(overtaken);
    for (const cell of [undefined, start, cellWith({})])
      expect(prepare(cell, me('b'), at(1_001), TIMING)).toEqual(overtaken);
  });

  it('that was not sent is gone, unless an earlier one may have sent the token', () => {
    expect(release(cellWith({}), me('a'), at(9))).toEqual(put(start));
    expect(release(cellWith({ state: 'maybe', doubt: true }), me('a'), at(9))).toEqual(
      put(cellWith({ state: 'lost', doubt: true, until: 9 })),
    );
    expect(release(cellWith({ state: 'lost', doubt: true }), me('a'), at(9))).toEqual(AS_IS);
    for (const cell of [undefined, start, cellWith({})]) expect(release(cell, me('b'), at(9))).toEqual(AS_IS);
  });

  it('that was sent without a response is lost', () => {
    expect(markLost(cellWith({ state: 'maybe' }), me('a'), at(9))).toEqual(
      put(cellWith({ state: 'lost', until: 9 })),
    );
    expect(markLost(cellWith({ state: 'lost' }), me('a'), at(9))).toEqual(AS_IS);
    for (const cell of [undefined, start, cellWith({})])
      expect(markLost(cell, me('b'), at(9))).toEqual(AS_IS);
  });
});

describe('a reservation as others see it', () => {
  it('is none for a token without one', () => {
    for (const cell of [undefined, start, cellWith({ hash: 'other' })])
      expect(reservations(cell, HASH, at(9), TIMING, 'unknown')).toEqual([]);
  });

  it.each([
    // state, doubt, until, now, liveness, owner, request
    ['held', false, 11_000, 10_999, 'unknown', 'alive', 'no'],
    ['held', false, 11_000, 11_000, 'alive', 'dead', 'no'],
    ['held', false, 11_000, 999, 'alive', 'dead', 'no'],
    ['held', false, 11_000, 1_000, 'alive', 'alive', 'no'],
    ['held', false, 11_000, 5_000, 'dead', 'dead', 'no'],
    ['held', true, 11_000, 5_000, 'alive', 'alive', 'no'],
    ['held', true, 11_000, 5_000, 'dead', 'dead', 'ambiguous'],
    ['held', true, 11_000, 11_000, 'alive', 'dead', 'ambiguous'],
    ['maybe', false, 121_000, 120_999, 'unknown', 'alive', 'maybe'],
    ['maybe', false, 121_000, 121_000, 'unknown', 'dead', 'ambiguous'],
    ['maybe', false, 121_000, 999, 'unknown', 'dead', 'ambiguous'],
    ['maybe', false, 121_000, 5_000, 'dead', 'dead', 'maybe'],
    ['maybe', true, 121_000, 5_000, 'alive', 'alive', 'maybe'],
    ['maybe', true, 121_000, 5_000, 'dead', 'dead', 'ambiguous'],
    ['lost', false, 5_000, 5_000, 'alive', 'dead', 'ambiguous'],
    ['lost', false, 9_000, 5_000, 'alive', 'dead', 'ambiguous'],
  ] as const)('%s (doubt: %s) until %s, at %s, its owner %s: owner %s, request %s', (...row) => {
    const [state, doubt, until, now, liveness, owner, request] = row;
    const cell = cellWith({ state, doubt, until, number: 4 });
    expect(reservations(cell, HASH, at(now), TIMING, liveness)).toEqual([
      {
        number: 4,
        owner,
        request: { kind: request },
        hasHeartbeat: false,
        ageMs: 0,
        sign: `a:${state}:${until}`,
      },
    ]);
  });
});
