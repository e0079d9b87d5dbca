import { expect, test } from 'vitest';
import type { CredentialCell, State } from '../../../../src/store/shared/protocol/cell.ts';
import {
  type Decision,
  heldBackMs,
  type Moment,
  maySend,
  prepare,
  putAnswer,
  release,
  repaired,
  reservations,
  reserve,
  takeHold,
} from '../../../../src/store/shared/protocol/decisions.ts';
import { TIMING } from '../../../../src/store/shared/protocol/timing.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

const at = (now: number, epoch = 'e1'): Moment => ({ now, epoch });
const me = (nonce: string) => ({ nonce, owner: { host: nonce, pid: 1 } });
const rank = { login: 5, generation: 3, request: 0 };
const state: State = { content: { kind: 'record', record: wholeRecord }, rank };
const start: CredentialCell = { version: 1, state, epoch: { id: 'e1', since: 0 } };
const HASH = 'hash';

function cellOf(decision: Decision): CredentialCell {
  if (decision.kind !== 'put') throw new Error(JSON.stringify(decision));
  return decision.cell;
}
const reserved = (cell: CredentialCell, nonce: string, number: number, now: number, sign?: string) =>
  reserve(cell, { hash: HASH, number, before: rank, sign }, me(nonce), at(now), TIMING);
const shown = (cell: CredentialCell, now: number) => reservations(cell, HASH, at(now), TIMING, 'unknown')[0];

test('does not take over a reservation that made progress since it was read', () => {
  const held = cellOf(reserved(start, 'a', 1, 1_000));
  const seen = shown(held, 12_000);
  expect(seen).toMatchObject({ number: 1, owner: 'dead', request: { kind: 'no' } });
  const prepared = cellOf(prepare(held, me('a'), at(12_000), TIMING));
  expect(reserved(prepared, 'b', 2, 12_001, seen?.sign)).toEqual({ kind: 'refused', reason: 'held' });
  // Overtaken first, it cannot prepare.
  const overtaken = cellOf(reserved(held, 'b', 2, 12_000, seen?.sign));
  expect(prepare(overtaken, me('a'), at(12_001), TIMING)).toEqual({ kind: 'refused', reason: 'overtaken' });
});

test('remembers that a token may have been sent until it is replaced, whichever process reserves it next', () => {
  const prepared = cellOf(prepare(cellOf(reserved(start, 'a', 1, 1_000)), me('a'), at(1_001), TIMING));
  expect(shown(prepared, 121_000)).toMatchObject({ owner: 'alive', request: { kind: 'maybe' } });
  const seen = shown(prepared, 121_001);
  expect(seen).toMatchObject({ owner: 'dead', request: { kind: 'ambiguous' } });
  const second = cellOf(reserved(prepared, 'b', 2, 121_001, seen?.sign));
  expect(shown(second, 121_002)).toMatchObject({ owner: 'alive', request: { kind: 'no' } });
  expect(shown(second, 131_001)).toMatchObject({ owner: 'dead', request: { kind: 'ambiguous' } });
  const released = cellOf(release(second, me('b'), at(121_003)));
  expect(shown(released, 121_004)).toMatchObject({ number: 2, request: { kind: 'ambiguous' } });
  const next: State = { content: state.content, rank: { login: 5, generation: 4, request: 1_001 } };
  expect(
    cellOf(putAnswer(released, { state: next, hash: HASH }, undefined, at(121_005))).reservation,
  ).toBeUndefined();
});

test('a response counts by its rank alone: in another epoch, without its reservation, after a removal', () => {
  const next: State = { content: state.content, rank: { login: 5, generation: 4, request: 7 } };
  const answer = { state: next, hash: HASH };
  expect(putAnswer(start, answer, undefined, at(9, 'e2')).kind).toBe('put');
  expect(putAnswer(undefined, answer, undefined, at(9)).kind).toBe('put');
  const later = { ...start, state: { ...state, rank: { login: 5, generation: 4, request: 8 } } };
  expect(putAnswer(later, answer, undefined, at(9))).toEqual({ kind: 'refused', reason: 'superseded' });
  const removed: CredentialCell = {
    ...start,
    state: { content: { kind: 'removed', family: 'f' }, rank: { login: 6, generation: 0, request: 0 } },
  };
  expect(putAnswer(removed, answer, undefined, at(9))).toEqual({ kind: 'refused', reason: 'superseded' });
});

test('data lost by the engine is written back, without a reservation on an earlier token, and no process reserves a token while reservations may be lost', () => {
  const known: State = { content: state.content, rank: { login: 5, generation: 4, request: 7 } };
  const behind = cellOf(repaired(cellOf(reserved(start, 'a', 1, 1_000)), known, at(2_000)));
  expect([behind.reservation, behind.state]).toEqual([undefined, known]);
  expect(repaired(start, state, at(2_000)).kind).toBe('as-is');
  const held = cellOf(takeHold(undefined, me('a'), at(2_000), TIMING, 'unknown'));
  for (const cell of [undefined, held]) {
    const again = cellOf(repaired(cell, known, at(2_000)));
    expect(heldBackMs(again, at(2_000), TIMING)).toBe(TIMING.quarantineMs);
    expect(heldBackMs(again, at(47_000), TIMING)).toBe(0);
  }
  expect(heldBackMs(start, at(2_000, 'e2'), TIMING)).toBe(TIMING.quarantineMs);
  expect(
    reserve(start, { hash: HASH, number: 1, before: rank, sign: undefined }, me('a'), at(1, 'e2'), TIMING),
  ).toEqual({ kind: 'refused', reason: 'quarantine' });
});

test('times set by a wrong clock delay nobody', () => {
  const day = 86_400_000;
  const held = cellOf(takeHold(start, me('a'), at(day), TIMING, 'unknown'));
  expect(takeHold(held, me('b'), at(day + 1), TIMING, 'unknown').kind).toBe('refused');
  expect(takeHold(held, me('b'), at(day + 1), TIMING, 'dead').kind).toBe('put');
  expect(takeHold(held, me('b'), at(1_000), TIMING, 'unknown').kind).toBe('put');
  expect(heldBackMs({ ...start, epoch: { id: 'e1', since: day } }, at(1_000), TIMING)).toBe(0);
});

const { expiresAt = 0 } = wholeRecord.tokens ?? {};
const long = TIMING.spentMs;

test.each([
  ['a confirmed primary', undefined, expiresAt - 1, true],
  ['not confirmed for long, the token expired long ago', long, expiresAt + long, true],
  ['not confirmed for a shorter time', long - 1, expiresAt + 10 * long, false],
  ['the token expired a shorter time ago', 10 * long, expiresAt + long - 1, false],
  ['the first question', 0, expiresAt + 10 * long, false],
])('whether a token may be sent: %s', (_, unconfirmedForMs, now, expected) => {
  expect(maySend(state, unconfirmedForMs, now, TIMING)).toBe(expected);
});

test('a token without an end is not sent without confirmation', () => {
  const { expiresAt: _, ...tokens } = wholeRecord.tokens ?? { accessToken: 'a', tokenType: 'Bearer' };
  const endless = { ...state, content: { kind: 'record', record: { ...wholeRecord, tokens } } } as State;
  expect(maySend(endless, 10 * long, expiresAt + 10 * long, TIMING)).toBe(false);
});
