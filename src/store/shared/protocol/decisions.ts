import type { Owner, ProcessLiveness } from '../../../platform/process/process-identity.ts';
import type { CredentialRecord, Expected, NewRecord } from '../../record/record.ts';
import { isExpected } from '../../record/record.ts';
import type { ReservationState } from '../../reservation/reservation.ts';
import type { CredentialCell, Reservation, State } from './cell.ts';
import { compareRanks, nextAnswer, nextLogin, type Rank } from './rank.ts';
import type { Timing } from './timing.ts';

/*
 * All decisions about a credential on an engine. Each function gets the cell as it was read, and returns the cell that replaces it, or
 * says why nothing may replace it. The caller puts that cell with the (seq, epoch) of the one that was read, and decides again if another was faster. Nothing here
 * reads a clock, draws a random number, or has an effect.
 *
 *   laterState, repaired    which state counts, and the cell that restores it after the engine lost it
 *   noteEpoch, heldBackMs   the engine may have lost reservations: since when, and how long nobody may make another
 *   broughtUp               repaired and noteEpoch in one
 *   takeHold, renewHold, dropHold                      the queue
 *   reserve, prepare, maySend, release, markLost, reservations    who may send a refresh token: taken, about to send, not sent, no response, as others see it
 *   putAnswer, putLogin, putNote, putRemoval           what is stored
 */

/** The engine at the time of a decision. */
export interface Moment {
  /** Its clock, milliseconds since the epoch. */
  readonly now: number;
  /** Empty: it reports none. */
  readonly epoch: string;
}

/** A process, as named in a cell. */
export interface Holder {
  readonly nonce: string;
  readonly owner: Owner;
}

/** The outcome of a decision. */
export type Decision =
  | { readonly kind: 'put'; readonly cell: CredentialCell }
  /** The cell already says so. */
  | { readonly kind: 'as-is' }
  | { readonly kind: 'refused'; readonly reason: Refusal };

export type Refusal =
  /** Another process holds the cell, or has reserved the token. */
  | 'held'
  /** The engine may have lost reservations a short time ago. */
  | 'quarantine'
  /** The stored state is later, or differs from what was read. */
  | 'superseded'
  /** The reservation belongs to another process by now, or the engine is in another epoch. */
  | 'overtaken';

const put = (cell: CredentialCell): Decision => ({ kind: 'put', cell });
const refused = (reason: Refusal): Decision => ({ kind: 'refused', reason });
const AS_IS: Decision = { kind: 'as-is' };

/** An empty cell. `since` 0: no reservation was ever made on the state that will be stored. */
export function emptyCell({ epoch }: Moment): CredentialCell {
  return { version: 1, epoch: { id: epoch, since: 0 } };
}

const withoutReservation = ({ reservation: _void, ...rest }: CredentialCell): CredentialCell => rest;
const withoutHold = ({ hold: _ended, ...rest }: CredentialCell): CredentialCell => rest;

// ── which state counts

/** The later of two states; of equal ones the stored one, which may have notes that the other lacks. */
export function laterState(stored: State | undefined, known: State | undefined): State | undefined {
  return compareRanks(known?.rank, stored?.rank) > 0 ? known : stored;
}

/**
 * The engine has lost the state that this process knows (a failover, an eviction, an old backup): it is stored again. A reservation on the token of the lost state is
 * void. If the cell was gone altogether, reservations may have gone with it.
 */
export function repaired(
  cell: CredentialCell | undefined,
  known: State | undefined,
  moment: Moment,
): Decision {
  if (known === undefined || compareRanks(known.rank, cell?.state?.rank) <= 0) return AS_IS;
  const at = cell ?? emptyCell(moment);
  const epoch = at.state === undefined ? { id: moment.epoch, since: moment.now } : at.epoch;
  return put({ ...withoutReservation(at), state: known, epoch });
}

/**
 * In another epoch than the cell's, the engine may have lost reservations: the cell says since when. A token that may be spent is waited for from now on once
 * more, since the time of its reservation is by the clock of another server.
 */
export function noteEpoch(
  cell: CredentialCell | undefined,
  { now, epoch }: Moment,
  { spentMs }: Timing,
): Decision {
  if (cell === undefined || epoch === '' || cell.epoch.id === epoch) return AS_IS;
  const { reservation } = cell;
  return put({
    ...cell,
    ...(reservation?.state === 'maybe' ? { reservation: { ...reservation, until: now + spentMs } } : {}),
    epoch: { id: epoch, since: now },
  });
}

/** Both: the updates that a cell needs before any other decision about it. */
export function broughtUp(
  cell: CredentialCell | undefined,
  known: State | undefined,
  moment: Moment,
  timing: Timing,
): Decision {
  const repair = repaired(cell, known, moment);
  const note = noteEpoch(repair.kind === 'put' ? repair.cell : cell, moment, timing);
  return note.kind === 'put' ? note : repair;
}

/** For how many milliseconds nobody may reserve a token yet. A time far in the future was set by a wrong clock: it blocks nobody. */
export function heldBackMs(
  { epoch: { id, since } }: CredentialCell,
  { now, epoch }: Moment,
  { quarantineMs }: Timing,
): number {
  if (epoch !== '' && id !== epoch) return quarantineMs;
  const ageMs = now - since;
  return since === 0 || Math.abs(ageMs) >= quarantineMs ? 0 : quarantineMs - Math.max(0, ageMs);
}

// ── the queue

/** `liveness`: of the current hold's owner, as far as this process knows. */
export function takeHold(
  cell: CredentialCell | undefined,
  me: Holder,
  moment: Moment,
  { holdMs }: Timing,
  liveness: ProcessLiveness,
): Decision {
  const at = cell ?? emptyCell(moment);
  const { hold } = at;
  if (hold !== undefined && hold.nonce !== me.nonce && liveness !== 'dead' && !isOver(hold, moment, holdMs))
    return refused('held');
  return put({ ...at, hold: { ...me, since: moment.now, until: moment.now + holdMs } });
}

/** Refused if another process holds it by now. */
export function renewHold(
  cell: CredentialCell | undefined,
  me: Holder,
  { now }: Moment,
  { holdMs }: Timing,
): Decision {
  const hold = cell?.hold;
  if (cell === undefined || hold?.nonce !== me.nonce) return refused('held');
  return put({ ...cell, hold: { ...hold, until: now + holdMs } });
}

export function dropHold(cell: CredentialCell | undefined, { nonce }: Pick<Holder, 'nonce'>): Decision {
  if (cell?.hold?.nonce !== nonce) return AS_IS;
  return put(withoutHold(cell));
}

/** A time further ahead than it can have been set comes from another clock. */
function isOver({ until }: { readonly until: number }, { now }: Moment, atMostMs: number): boolean {
  return now >= until || until - now > atMostMs;
}

// ── who may send a refresh token

/**
 * Reserves the token with this hash. `before`: the rank of the record with that token, as read. `number`: one more than that of the last reservation,
 * which was judged to be over; `sign`: of that reservation as shown by `reservations`, undefined if there was none. A reservation that has changed since is not overtaken:
 * its owner is alive after all.
 */
export function reserve(
  cell: CredentialCell | undefined,
  wanted: {
    readonly hash: string;
    readonly number: number;
    readonly before: Rank;
    readonly sign: string | undefined;
  },
  me: Holder,
  moment: Moment,
  timing: Timing,
): Decision {
  if (cell?.state === undefined || compareRanks(cell.state.rank, wanted.before) !== 0)
    return refused('superseded');
  if (heldBackMs(cell, moment, timing) > 0) return refused('quarantine');
  const earlier = reservationOf(cell, wanted.hash);
  if (earlier?.nonce === me.nonce) return AS_IS;
  if ((earlier?.number ?? 0) + 1 !== wanted.number) return refused('held');
  if ((earlier && signOf(earlier)) !== wanted.sign) return refused('held');
  const doubt = earlier !== undefined && (earlier.doubt || earlier.state !== 'held');
  const { hash, number } = wanted;
  const until = moment.now + timing.reservationMs;
  return put({ ...cell, reservation: { hash, number, ...me, state: 'held', until, doubt } });
}

/**
 * Whether the token may be sent. `unconfirmedForMs`: for how long it could not be confirmed that the engine's server is the primary that the others see; undefined: it
 * is confirmed. If the token expired long ago and there was no confirmation for as long, one process on each of two primaries is a smaller risk than no token.
 */
export function maySend(
  state: State | undefined,
  unconfirmedForMs: number | undefined,
  now: number,
  { spentMs }: Timing,
): boolean {
  if (unconfirmedForMs === undefined) return true;
  const expiresAt = recordOf(state)?.tokens?.expiresAt ?? Number.POSITIVE_INFINITY;
  return Math.min(now - expiresAt, unconfirmedForMs) >= spentMs;
}

/** Records that the token may be sent from now on. Refused for a reservation that was overtaken, and in another epoch than the one in which it was made. */
export function prepare(
  cell: CredentialCell | undefined,
  { nonce }: Pick<Holder, 'nonce'>,
  moment: Moment,
  timing: Timing,
): Decision {
  const mine = cell?.reservation;
  if (cell === undefined || mine?.nonce !== nonce) return refused('overtaken');
  if (mine.state === 'maybe') return AS_IS;
  if (mine.state !== 'held' || heldBackMs(cell, moment, timing) > 0) return refused('overtaken');
  return put({ ...cell, reservation: { ...mine, state: 'maybe', until: moment.now + timing.spentMs } });
}

/** The token was not sent. It remains recorded that an earlier reservation may have sent it. */
export function release(
  cell: CredentialCell | undefined,
  { nonce }: Pick<Holder, 'nonce'>,
  { now }: Moment,
): Decision {
  const mine = cell?.reservation;
  if (cell === undefined || mine?.nonce !== nonce) return AS_IS;
  if (!mine.doubt) return put(withoutReservation(cell));
  return mine.state === 'lost'
    ? AS_IS
    : put({ ...cell, reservation: { ...mine, state: 'lost', until: now } });
}

/** The token was sent, and no response came: others need not wait for one. */
export function markLost(
  cell: CredentialCell | undefined,
  { nonce }: Pick<Holder, 'nonce'>,
  { now }: Moment,
): Decision {
  const mine = cell?.reservation;
  if (cell === undefined || mine?.nonce !== nonce || mine.state === 'lost') return AS_IS;
  return put({ ...cell, reservation: { ...mine, state: 'lost', until: now } });
}

/** The reservations of this token are no longer needed: it is replaced, or dead. */
export function clearReservations(cell: CredentialCell | undefined, hash: string): Decision {
  return cell === undefined || reservationOf(cell, hash) === undefined
    ? AS_IS
    : put(withoutReservation(cell));
}

/**
 * The last reservation of this token, in the form in which the decision of a refresh sees reservation files; none: an empty list. An expired reservation has no owner; if
 * it, or one before it, may have sent the token, it counts as lost. `liveness`: of its owner, as far as this process knows; an owner on another machine counts
 * as alive until its reservation expires.
 */
export function reservations(
  cell: CredentialCell | undefined,
  hash: string,
  moment: Moment,
  { reservationMs, spentMs }: Timing,
  liveness: ProcessLiveness,
): ReservationState[] {
  const found = cell === undefined ? undefined : reservationOf(cell, hash);
  if (found === undefined) return [];
  const { number, state, doubt } = found;
  const overdue = isOver(found, moment, state === 'held' ? reservationMs : spentMs);
  const owner = liveness === 'dead' || overdue || state === 'lost' ? 'dead' : 'alive';
  const isLost = state === 'lost' || (state === 'maybe' && overdue) || (doubt && owner === 'dead');
  const request = isLost ? 'ambiguous' : state === 'maybe' ? 'maybe' : 'no';
  return [{ number, owner, request: { kind: request }, hasHeartbeat: false, ageMs: 0, sign: signOf(found) }];
}

/** Changes with each step of the reservation. */
const signOf = ({ nonce, state, until }: Reservation): string => `${nonce}:${state}:${until}`;

const reservationOf = ({ reservation }: CredentialCell, hash: string): Reservation | undefined =>
  reservation?.hash === hash ? reservation : undefined;

// ── what is stored

/** The response that a process got for its token; it is stored whatever has become of the reservation. */
export interface Answer {
  readonly state: State;
  /** Of the token that was used for it. */
  readonly hash: string;
}

/** The state after a response. `before`: as read when the token was reserved; `preparedAt`: when it was about to be sent, by the engine's clock. */
export function answerState(
  before: State & { readonly content: { readonly kind: 'record' } },
  record: NewRecord,
  preparedAt: number,
): State {
  const revision = nextRevision(before.content.record, preparedAt);
  return {
    content: { kind: 'record', record: { ...record, version: 1, revision } },
    rank: nextAnswer(before.rank, preparedAt),
  };
}

/** Accepted if it is later than the stored state, whatever became of the reservation, the cell and the engine meanwhile. Also ends the hold, if it is ours. */
export function putAnswer(
  cell: CredentialCell | undefined,
  { state, hash }: Answer,
  me: Pick<Holder, 'nonce'> | undefined,
  moment: Moment,
): Decision {
  const compared = compareRanks(state.rank, cell?.state?.rank);
  if (compared < 0) return refused('superseded');
  if (compared === 0) {
    if (!isSameContent(cell?.state, state)) return refused('superseded');
    return me !== undefined && cell?.hold?.nonce === me.nonce ? put(withoutHold(cell)) : AS_IS;
  }
  if (cell === undefined) return put({ version: 1, state, epoch: { id: moment.epoch, since: moment.now } });
  const rest = reservationOf(cell, hash) === undefined ? cell : withoutReservation(cell);
  return put({ ...(rest.hold?.nonce === me?.nonce ? withoutHold(rest) : rest), state });
}

function isSameContent(one: State | undefined, other: State): boolean {
  if (one?.content.kind !== 'record' || other.content.kind !== 'record') return false;
  return one.content.record.tokens?.accessToken === other.content.record.tokens?.accessToken;
}

/**
 * A sign-in or an import, which beats whatever is there. `attempted`: the login's number in its rank when it was put before and no answer came. It keeps
 * that number: the clock of another server may be behind, and whoever saw the first copy would take it for the later login, and put its token again
 * after it was spent.
 */
export function putLogin(
  cell: CredentialCell | undefined,
  record: NewRecord,
  moment: Moment,
  attempted?: number,
): Decision {
  const { state } = cell ?? {};
  if (attempted !== undefined && state !== undefined) {
    // It is there, and may have been refreshed since; or a person has removed it.
    if (state.rank.login === attempted) return AS_IS;
    if (state.content.kind === 'removed' && state.content.family === record.family)
      return refused('superseded');
  }
  return put(loggedIn(cell, record, nextLogin(state?.rank, attempted ?? moment.now), moment));
}

/** No reservation on an earlier token, lost or not, concerns this login. */
function loggedIn(
  cell: CredentialCell | undefined,
  record: NewRecord,
  rank: Rank,
  moment: Moment,
): CredentialCell {
  const at = cell ?? emptyCell(moment);
  const revision = nextRevision(recordOf(at.state), moment.now);
  return {
    ...withoutReservation(at),
    state: { content: { kind: 'record', record: { ...record, version: 1, revision } }, rank },
    epoch: { id: moment.epoch, since: 0 },
  };
}

/**
 * Replaces the record that was read: by a note, a mark, another version of the login. `seen`: the rank of what was read; undefined if nothing was. With
 * `expected` null, a login that every process brings along (`MCP_DRAWBRIDGE_CREDENTIALS`): refused if a login of its family was removed; its rank is the
 * lowest, since processes that know the latest state may have used its token long ago.
 */
export function putNote(
  cell: CredentialCell | undefined,
  record: NewRecord,
  expected: Expected,
  seen: { readonly rank: Rank | undefined } | undefined,
  moment: Moment,
): Decision {
  const stored = recordOf(cell?.state);
  const isOther = seen !== undefined && compareRanks(cell?.state?.rank, seen.rank) !== 0;
  if (isOther || !isExpected(stored, expected)) return refused('superseded');
  const removed = cell?.state?.content.kind === 'removed' ? cell.state.content.family : undefined;
  if (removed === record.family) return refused('superseded');
  if (cell?.state === undefined || stored?.family !== record.family)
    return put(loggedIn(cell, record, nextLogin(cell?.state?.rank, 0), moment));
  const revision = nextRevision(stored, moment.now);
  const isSame = stored.tokens?.accessToken === record.tokens?.accessToken;
  const state: State = {
    content: { kind: 'record', record: { ...record, version: 1, revision } },
    rank: isSame ? cell.state.rank : nextAnswer(cell.state.rank, moment.now),
  };
  const isDead =
    record.deadRefreshTokenHash !== undefined && reservationOf(cell, record.deadRefreshTokenHash);
  return put({ ...(isDead ? withoutReservation(cell) : cell), state });
}

/** A logout. A cell without a known login leaves nothing behind. */
export function putRemoval(cell: CredentialCell | undefined, moment: Moment): Decision {
  if (cell?.state === undefined || cell.state.content.kind === 'removed') return AS_IS;
  const { family } = cell.state.content.record;
  return put({
    ...withoutReservation(cell),
    state: { content: { kind: 'removed', family }, rank: nextLogin(cell.state.rank, moment.now) },
  });
}

/** The record of a state, if it has one. */
export function recordOf(state: State | undefined): CredentialRecord | undefined {
  return state?.content.kind === 'record' ? state.content.record : undefined;
}

/** The engine's time if that is greater: a number lost in a failover is not assigned again. */
function nextRevision(before: CredentialRecord | undefined, now: number): number {
  return Math.max((before?.revision ?? 0) + 1, Math.floor(now));
}
