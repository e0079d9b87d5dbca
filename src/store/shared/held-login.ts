import type { Clock } from '../../platform/clock.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import { Stop } from '../../platform/stop.ts';
import { StoreAwayError, StoreError } from '../files/store-errors.ts';
import type { CommitResult, HeldReservation, LockedRecord, ReadResult, WriteResult } from '../port/store.ts';
import { belongsTo } from '../record/read-record.ts';
import type { Expected, NewRecord, RecordIdentity } from '../record/record.ts';
import type { ReservationState } from '../reservation/reservation.ts';
import type { Engine } from './engine.ts';
import type { LoginCell } from './login-cell.ts';
import type { Ownership } from './ownership.ts';
import type { CredentialCell, State } from './protocol/cell.ts';
import {
  type Answer,
  answerState,
  clearReservations,
  type Decision,
  dropHold,
  type Holder,
  heldBackMs,
  laterState,
  type Moment,
  markLost,
  maySend,
  prepare,
  putAnswer,
  putLogin,
  putNote,
  putRemoval,
  recordOf,
  release,
  renewHold,
  reservations,
  reserve,
} from './protocol/decisions.ts';
import type { Rank } from './protocol/rank.ts';
import { shiftRecord } from './protocol/times.ts';
import type { Timing } from './protocol/timing.ts';

export interface HeldLoginDeps {
  readonly login: LoginCell;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: Timing;
  readonly ownership: Ownership;
  /** How far this machine's clock is ahead of the engine's. */
  readonly offset: () => number;
  /** The credential is stored under its key for the first time, or was removed. `isPersons`: by a sign-in. Rejects for no failure that is expected. */
  readonly onKey: (what: 'add' | 'remove', isPersons?: boolean) => Promise<void>;
  /** The last put may not survive the loss of the primary yet. */
  readonly onUnsettled: () => void;
  /** For how many milliseconds it could not be confirmed that the engine's server is the primary that the others see; undefined: it is confirmed. Never rejects. */
  readonly unconfirmedForMs: () => Promise<number | undefined>;
}

/** A reserved record, as it was then. */
type ReservedState = State & { readonly content: { readonly kind: 'record' } };

export const NOT_PRIMARY = 'is not known to be the one that the others see';

/** Why no hold is renewed any more. */
const ENDED = Symbol('ended');

/** A credential that this process holds, and the operations on it, each step one put. Reads return the result of the last put. */
export class HeldLogin {
  readonly #deps: HeldLoginDeps;
  readonly #me: Holder;
  readonly #ended = new Stop();
  #heldUntil: number;
  /** The last record read: a write refers to it. */
  #seen: { readonly rank: Rank | undefined; readonly state: State | undefined } | undefined;
  /** The reservations of other processes that determined the next number. */
  #shown: { readonly hash: string; readonly reservations: readonly ReservationState[] } | undefined;
  /** The nonce of this process's reservation. */
  #reserved: string | undefined;
  /** How far this machine's clock was ahead when the record was read first. */
  #readOffset: number | undefined;

  /** The time when the hold with this nonce was taken, monotonic. */
  constructor(me: Holder, since: number, deps: HeldLoginDeps) {
    this.#me = me;
    this.#deps = deps;
    this.#heldUntil = since + deps.timing.holdMs;
    void this.#renew();
  }

  /** The object that `withLock` passes on. */
  get locked(): LockedRecord {
    return {
      lost: () => this.#deps.clock.monotonic() >= this.#heldUntil,
      read: (identity) => this.#read(identity),
      write: (record, expected) => this.#write(record, expected),
      remove: () => this.#remove(),
      // An unusable value is overwritten in place.
      setAside: async () => ({ files: 0, records: [] }),
      reservations: (hash) => this.#reservations(hash),
      clearReservations: async (hash) => {
        await this.#change((cell) => clearReservations(cell, hash));
      },
      reserve: (hash, number) => this.#reserve(hash, number),
      heldBackMs: () => this.#heldBackMs(),
      settled: () => this.#settled(),
    };
  }

  /** Lets the next process in. If the engine is away, the hold expires by itself. */
  async end(): Promise<void> {
    this.#ended.abort(ENDED);
    await this.#change((cell) => dropHold(cell, this.#me)).catch(ignoreAway);
    this.#deps.ownership.drop(this.#me.nonce);
  }

  async #renew(): Promise<void> {
    const { clock, timing } = this.#deps;
    for (;;) {
      try {
        await clock.sleep(timing.renewMs, this.#ended.signal);
        const since = clock.monotonic();
        const { kind } = await this.#change((cell, moment) => renewHold(cell, this.#me, moment, timing));
        if (kind === 'refused') return;
        this.#heldUntil = since + timing.holdMs;
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        ignoreAway(error);
      }
    }
  }

  async #read(identity: RecordIdentity | undefined): Promise<ReadResult> {
    const state = await this.#state();
    this.#readOffset ??= this.#deps.offset();
    this.#seen = { rank: state?.rank, state };
    const record = recordOf(state);
    if (record === undefined || !belongsTo(record, identity)) return { kind: 'absent' };
    return { kind: 'record', record: shiftRecord(record, this.#readOffset) };
  }

  /** As the last put left it: if it was changed since, the next put fails. Never an earlier one than this process knows, which the next put would restore. */
  async #state(): Promise<State | undefined> {
    const { login } = this.#deps;
    return login.latest === undefined ? login.read() : laterState(login.latest.state, login.known);
  }

  async #write(record: NewRecord, expected: Expected | 'any'): Promise<WriteResult> {
    const { login, offset, onKey } = this.#deps;
    // The times of a record that was read go back as they came, also if this machine's clock was set since.
    const offsetMs = expected === 'any' ? offset() : (this.#readOffset ?? offset());
    const shifted = shiftRecord(record, -offsetMs);
    const before = recordOf(await this.#state());
    const { kind, look } = await login.change(
      (cell, moment) =>
        expected === 'any'
          ? this.#putLogin(cell, record, shifted, moment)
          : putNote(cell, shifted, expected, this.#seen, moment),
      { tell: true, overwrite: expected === 'any' },
    );
    const written = recordOf(look.value?.state);
    if (kind === 'refused' || written === undefined) return { kind: 'superseded' };
    this.#seen = { rank: look.value?.state?.rank, state: look.value?.state };
    if (before === undefined || expected === 'any') await onKey('add', expected === 'any');
    // A person's action, which no other process knows of yet.
    if (expected === 'any') await this.#noteUnsettled();
    return { kind: 'written', record: shiftRecord(written, offsetMs) };
  }

  #putLogin(
    cell: CredentialCell | undefined,
    record: NewRecord,
    shifted: NewRecord,
    moment: Moment,
  ): Decision {
    const { attempts } = this.#deps.login;
    const decision = putLogin(cell, shifted, moment, attempts.get(record));
    if (decision.kind === 'put' && decision.cell.state !== undefined)
      attempts.set(record, decision.cell.state.rank.login);
    return decision;
  }

  async #remove(): Promise<void> {
    const { login, onKey } = this.#deps;
    await login.change((cell, moment) => putRemoval(cell, moment), { tell: true });
    await onKey('remove');
    await this.#noteUnsettled();
  }

  async #noteUnsettled(): Promise<void> {
    const { engine, timing, onUnsettled } = this.#deps;
    if (!(await engine.settled(timing.settledMs))) onUnsettled();
  }

  async #reservations(hash: string): Promise<ReservationState[]> {
    const { login, ownership, timing } = this.#deps;
    const cell = await this.#cell();
    const owner =
      cell?.reservation && (await ownership.liveness(cell.reservation.owner, cell.reservation.nonce));
    const found = reservations(cell, hash, login.moment(), timing, owner ?? 'unknown');
    // This process's reservation replaced the one that was read before, which was unchanged then.
    if (this.#reserved !== undefined && cell?.reservation?.nonce === this.#reserved) {
      return [...(this.#shown?.reservations ?? []), ...found];
    }
    this.#shown = { hash, reservations: found };
    return found;
  }

  async #settled(): Promise<boolean> {
    const { engine, clock, timing } = this.#deps;
    const deadline = clock.monotonic() + timing.closeGraceMs;
    for (;;) {
      if (await engine.settled(timing.settledMs)) return true;
      if (clock.monotonic() >= deadline) return false;
      await clock.sleep(timing.retryMinMs);
    }
  }

  async #heldBackMs(): Promise<number> {
    const { login, timing } = this.#deps;
    const cell = await this.#cell();
    return cell === undefined ? 0 : heldBackMs(cell, login.moment(), timing);
  }

  async #cell(): Promise<CredentialCell | undefined> {
    await this.#state();
    return this.#deps.login.latest;
  }

  async #reserve(hash: string, number: number): Promise<HeldReservation | undefined> {
    const { login, random, ownership, timing } = this.#deps;
    const { state } = this.#seen ?? {};
    if (state?.content.kind !== 'record') return undefined;
    const before = state as ReservedState;
    const me: Holder = { nonce: randomToken(random, 128), owner: ownership.owner };
    const sign = this.#shown?.hash === hash ? this.#shown.reservations.at(-1)?.sign : undefined;
    ownership.hold(me.nonce);
    const wanted = { hash, number, before: state.rank, sign };
    try {
      const { kind } = await login.change((cell, moment) => reserve(cell, wanted, me, moment, timing), {
        tell: false,
      });
      if (kind !== 'refused') {
        this.#reserved = me.nonce;
        return new SharedReservation(me, before, hash, this.#me, this.#deps).reservation;
      }
    } catch (error) {
      ownership.drop(me.nonce);
      throw error;
    }
    ownership.drop(me.nonce);
    return undefined;
  }

  #change(decide: Parameters<LoginCell['change']>[0]) {
    return this.#deps.login.change(decide, { tell: false });
  }
}

/** A reservation on one refresh token. */
class SharedReservation {
  readonly #me: Holder;
  readonly #before: ReservedState;
  readonly #hash: string;
  readonly #hold: Holder;
  readonly #deps: HeldLoginDeps;
  /** When the token was about to be sent, by the engine's clock. */
  #preparedAt = 0;

  constructor(me: Holder, before: ReservedState, hash: string, hold: Holder, deps: HeldLoginDeps) {
    this.#me = me;
    this.#before = before;
    this.#hash = hash;
    this.#hold = hold;
    this.#deps = deps;
  }

  get reservation(): HeldReservation {
    return {
      prepare: () => this.#prepare(),
      commit: (record, expected) => this.#commit(record, expected),
      release: () => this.#end(release),
      markAmbiguous: () => this.#end(markLost),
      abandon: () => this.#deps.ownership.drop(this.#me.nonce),
    };
  }

  /**
   * A lease does not stop a process that was suspended, and the authorization server knows no fencing token. So the token is sent within some seconds of the
   * put that allows it, or not at all: then the waits of the others cover the request.
   */
  async #prepare(): Promise<boolean> {
    const { login, engine, clock, timing, unconfirmedForMs } = this.#deps;
    const startedAt = clock.monotonic();
    const { kind, look } = await login.change((cell, moment) => prepare(cell, this.#me, moment, timing), {
      tell: false,
    });
    if (kind === 'refused') return false;
    this.#preparedAt = Math.floor(look.engineNow);
    if (!maySend(this.#before, await unconfirmedForMs(), look.engineNow, timing))
      throw tooLate(engine, NOT_PRIMARY);
    // That was about the server that this connection leads to now: the reservation has to be on it, and not on one that was left meanwhile.
    const after = await login.cell.lookNow();
    if (after.epoch !== look.epoch || after.value?.reservation?.nonce !== this.#me.nonce) return false;
    if (clock.monotonic() - startedAt > timing.sendWindowMs) throw tooLate(engine, 'answered too late');
    return true;
  }

  async #commit(record: NewRecord, expected: Expected): Promise<CommitResult> {
    if (expected === null) throw new StoreError('a refresh has a record to begin with');
    const { login, engine, timing, offset, ownership, onKey, onUnsettled } = this.#deps;
    const state = answerState(this.#before, shiftRecord(record, -offset()), this.#preparedAt);
    const answer: Answer = { state, hash: this.#hash };
    // Remembered here first: whatever happens to the engine, this process can use it, and will put it again.
    login.learn(state);
    const local = shiftRecord((state as ReservedState).content.record, offset());
    try {
      const { kind } = await login.change((cell, moment) => putAnswer(cell, answer, this.#hold, moment), {
        tell: true,
      });
      ownership.drop(this.#me.nonce);
      if (kind === 'refused') return { kind: 'superseded' };
    } catch (error) {
      // The reservation remains this process's: another task in it must not take it for abandoned.
      login.keep(answer);
      if (!(error instanceof StoreAwayError)) throw error;
      return { kind: 'kept', record: local };
    }
    await onKey('add');
    if (!(await engine.settled(timing.settledMs))) onUnsettled();
    return { kind: 'written', record: local };
  }

  async #end(
    how: (cell: CredentialCell | undefined, me: Holder, moment: ReturnType<LoginCell['moment']>) => Decision,
  ): Promise<void> {
    const { login, ownership } = this.#deps;
    ownership.drop(this.#me.nonce);
    await login.change((cell, moment) => how(cell, this.#me, moment), { tell: false }).catch(ignoreAway);
  }
}

function tooLate({ place }: Engine, why: string): StoreAwayError {
  return new StoreAwayError(`the shared store at ${place} ${why}, so the refresh token was not sent`, {
    applied: 'no',
  });
}

/** On an engine that is away, the reservation expires by itself. */
function ignoreAway(error: unknown): void {
  if (!(error instanceof StoreAwayError)) throw error;
}
