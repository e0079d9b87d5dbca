import { describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import type { NewRecord } from '../record/record.ts';
import { type Format, laterVersion } from './cell-codec.ts';
import { CellWatch } from './cell-watch.ts';
import type { Engine } from './engine.ts';
import {
  type Change,
  type ChangeOptions,
  EngineCell,
  type EngineCellDeps,
  type Look,
} from './engine-cell.ts';
import { type CredentialCell, decodeCell, encodeCell, type State } from './protocol/cell.ts';
import {
  type Answer,
  broughtUp,
  type Decision,
  laterState,
  type Moment,
  putAnswer,
  recordOf,
} from './protocol/decisions.ts';
import { compareRanks } from './protocol/rank.ts';
import type { Timing } from './protocol/timing.ts';

export interface LoginCellDeps extends EngineCellDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly logger: Logger;
  readonly timing: Timing;
  readonly closing: AbortSignal;
}

const FORMAT: Format<CredentialCell> = {
  encode: encodeCell,
  decode: (bytes) => {
    const decoded = decodeCell(bytes);
    if (decoded.kind === 'newer') throw laterVersion('the login');
    return decoded.kind === 'cell' ? decoded.cell : undefined;
  },
};

/** The outcome of a change of the credential. */
export interface Changed {
  readonly kind: 'put' | 'as-is' | 'refused';
  readonly reason?: string | undefined;
  readonly look: Look<CredentialCell>;
}

/**
 * One credential on the engine, and what this process knows of it. The process remembers the latest state that it has seen or received, and puts it again if
 * the engine has lost it, for as long as the process lives: a failover that loses writes costs no login while any process remembers the state.
 */
export class LoginCell {
  readonly cell: EngineCell<CredentialCell>;
  readonly watch: CellWatch;
  /** Sign-ins that were put here, and the number that each got: one that is put again keeps it. */
  readonly attempts = new WeakMap<NewRecord, number>();
  readonly #deps: LoginCellDeps;
  readonly #listeners = new Set<() => void>();
  /** The response that the engine has not stored yet. */
  #unsaved: Answer | undefined;
  #known: State | undefined;
  /** As last seen on the engine. */
  #stored: State | undefined;
  /** The last state reported to listeners. */
  #reported: State | undefined;
  #healing: Promise<void> | undefined;
  #warned = false;

  /** Of the credential with this key. */
  constructor(key: string, deps: LoginCellDeps) {
    this.#deps = deps;
    this.cell = new EngineCell(
      () => deps.codec.name(key, 'credential'),
      FORMAT,
      deps,
      // The engine may have lost it meanwhile, and no other process may know it.
      ({ state }) => state && this.learn(state),
    );
    const onChange = () => {
      this.cell.told();
      void this.#told();
    };
    this.watch = new CellWatch(this.cell, deps.timing.turnMs, onChange, deps);
  }

  /** The latest state that this process knows of. */
  get known(): State | undefined {
    return this.#known;
  }

  /** The cell as last seen or put; undefined: none was seen, or it may be out of date. */
  get latest(): CredentialCell | undefined {
    return this.cell.latest?.value;
  }

  /** The engine's current state. */
  moment(): Moment {
    const { latest } = this.cell;
    return latest === undefined ? { now: 0, epoch: '' } : this.cell.momentOf(latest);
  }

  /** Whether this process knows a state that the engine has not stored. */
  get isUnsaved(): boolean {
    return this.#unsaved !== undefined;
  }

  /** The current state. If the engine has lost it, it is put again first. Rejects with StoreAwayError. */
  async read(): Promise<State | undefined> {
    if (this.#listeners.size > 0) {
      // Before the look, so that no change after it is missed.
      await this.#deps.codec.ready();
      this.watch.start();
    }
    this.watch.looks();
    const look = await this.cell.look();
    this.#note(look);
    if (this.#known === undefined && look.problem !== undefined) throw look.problem;
    if (look.problem === undefined && compareRanks(this.#known?.rank, this.#stored?.rank) > 0)
      await this.#bringUp();
    // Listeners read first, or later than this: nothing has changed for them.
    this.#reported ??= this.#known;
    return this.#known;
  }

  /** Changes the cell, after bringing it up to date. Rejects with StoreAwayError. */
  async change(
    decide: (cell: CredentialCell | undefined, moment: Moment) => Decision,
    options: ChangeOptions,
  ): Promise<Changed> {
    for (;;) {
      let isBroughtUpOnly = false;
      const changed = await this.cell.change((found, moment): Change<CredentialCell> => {
        // Before the put: if the engine has lost it by then, nobody else may know it.
        this.#known = laterState(found?.state, this.#known);
        const up = broughtUp(found, this.#known, moment, this.#deps.timing);
        const decision = decide(up.kind === 'put' ? up.cell : found, moment);
        isBroughtUpOnly = decision.kind !== 'put' && up.kind === 'put';
        // What was put again may be lost to others too, or be earlier than what they know: they hear of it, and look.
        const isRepaired = up.kind === 'put' && up.cell.state !== found?.state;
        return this.#asChange(isBroughtUpOnly ? up : decision, isRepaired);
      }, options);
      this.#note(changed.look);
      if (!isBroughtUpOnly || changed.kind !== 'put') return changed;
    }
  }

  /** Remembered from now on, whether the engine stores it or not. */
  learn(state: State): void {
    this.#known = laterState(this.#known, state);
  }

  /** Puts the response until the engine stores it, or has a later one. */
  keep(answer: Answer): void {
    this.#unsaved = answer;
    void this.heal();
  }

  /** Calls `listener` after the state has changed elsewhere. Returns a function that ends this. */
  onChange(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    this.watch.start();
    return () => void this.#listeners.delete(own);
  }

  /** Resolves when the engine has stored everything that is known here, or the store is closed. */
  heal(): Promise<void> {
    this.#healing ??= this.#heal().finally(() => {
      this.#healing = undefined;
    });
    return this.#healing;
  }

  async #heal(): Promise<void> {
    const { clock, random, timing, logger, closing } = this.#deps;
    for (let pauseMs = timing.retryMinMs; this.#unsaved !== undefined; pauseMs *= 2) {
      const answer = this.#unsaved;
      try {
        this.#note(await this.cell.lookNow());
        const { kind, reason } = await this.change(
          (cell, moment) => putAnswer(cell, answer, undefined, moment),
          {
            tell: true,
          },
        );
        if (this.#unsaved === answer) this.#unsaved = undefined;
        logger.debug('an answer that was kept has been stored', { kind, reason });
      } catch (error) {
        if (pauseMs === timing.retryMinMs) {
          logger.warn('what the authorization server sent cannot be stored yet', {
            error: describeError(error),
          });
        }
        const pause = Math.min(pauseMs, timing.retryMaxMs) * (0.5 + random.fraction());
        try {
          await clock.sleep(pause, closing);
        } catch {
          return;
        }
      }
    }
  }

  /** The engine reported a change, or has a new connection. */
  async #told(): Promise<void> {
    if (this.#unsaved !== undefined) void this.heal();
    try {
      // Who waits looks for itself: it may have been told too late for a look that is on its way.
      this.#note(await this.cell.lookNow());
      await this.#bringUp();
    } catch (error) {
      // Away again: there will be another connection.
      this.#deps.logger.debug('the shared store was not looked at', { error: describeError(error) });
    }
    if (!isOther(this.#reported, this.#known)) return;
    this.#reported = this.#known;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Puts what the engine has lost, and the time since when it may have lost reservations. */
  async #bringUp(): Promise<void> {
    await this.change(() => ({ kind: 'as-is' }), { tell: true });
  }

  /** Remembers the seen state, if it is later. */
  #note({ value, seq, problem }: Look<CredentialCell>): void {
    this.#stored = value?.state;
    if (value === undefined && seq > 0 && problem === undefined && !this.#warned) {
      this.#warned = true;
      const { logger, engine } = this.#deps;
      logger.warn(
        `what the shared store at ${engine.place} has for this login cannot be opened or was changed`,
      );
    }
    this.#known = laterState(value?.state, this.#known);
  }

  #asChange(decision: Decision, tell: boolean): Change<CredentialCell> {
    if (decision.kind !== 'put') return decision;
    const { cell } = decision;
    return { kind: 'put', value: cell, tell, expiresInMs: keptMs(cell, this.#deps.timing) };
  }
}

/** How long the engine keeps the cell; undefined: until it is replaced. What only says who works on a login that is not there is soon of no use. */
export function keptMs({ state }: CredentialCell, timing: Timing): number | undefined {
  if (state === undefined) return timing.emptyMs;
  return state.content.kind === 'removed' ? timing.tombstoneMs : undefined;
}

/** A note in the record gives it another revision, and any other change another rank. */
function isOther(one: State | undefined, other: State | undefined): boolean {
  return compareRanks(one?.rank, other?.rank) !== 0 || recordOf(one)?.revision !== recordOf(other)?.revision;
}
