import { DrawbridgeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { LaterVersionError, StoreAwayError, StoreError, UnknownKeyError } from '../files/store-errors.ts';
import { sealedUnder } from '../sealing/envelope.ts';
import type { CellCodec, Format } from './cell-codec.ts';
import { type Cell, type Engine, MAX_CELL_BYTES, nextSeq } from './engine.ts';
import type { Moment } from './protocol/decisions.ts';

/** A value of an engine as last seen by this process. */
export interface Look<T> {
  /** Undefined: there is none, or it cannot be opened (`problem`). */
  readonly value: T | undefined;
  /** Why an existing value is unusable. Only an action of a person may replace it. */
  readonly problem?: DrawbridgeError | undefined;
  readonly seq: number;
  /** The id of the key under which the value is sealed. Undefined: there is none, or what is there is no sealed value. */
  readonly keyId?: string | undefined;
  readonly epoch: string | undefined;
  /** The engine's clock. */
  readonly engineNow: number;
  /** Of this process, monotonic. */
  readonly at: number;
  /** The answer was there for long before this process came to it: the engine's clock is further by now. */
  readonly isOld: boolean;
}

export type Change<T> =
  | {
      readonly kind: 'put';
      readonly value: T;
      readonly expiresInMs?: number | undefined;
      /** Those who watch are to look, whatever the options say. */
      readonly tell?: boolean;
    }
  | { readonly kind: 'as-is' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface ChangeOptions {
  /** Whether watchers are notified. */
  readonly tell: boolean;
  /** Also replaces a value that cannot be opened, unless a later version wrote it. */
  readonly overwrite?: boolean;
}

export interface EngineCellDeps {
  readonly engine: Engine;
  readonly codec: CellCodec;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Called with every value that is seen. */
  readonly onTime: (engineNow: number) => void;
}

/** How often a change is decided again because another process was faster; each time that process has made progress. */
const MAX_ATTEMPTS = 50;
/** Two reads within this time are one: no longer than a reply takes from another continent. */
const SAME_LOOK_MS = 50;

/** When a request was sent, monotonic, and how many changes had been reported by then. */
interface Asked {
  readonly told: number;
  readonly at: number;
}

/** Engines answer sooner or not at all: a process that gets an answer later was suspended meanwhile. As long as the margin of a quarantine. */
const MAX_ANSWER_MS = 10_000;

/** One sealed value on an engine. */
export class EngineCell<T> {
  readonly #nameOf: () => string;
  #name: string | undefined;
  readonly #format: Format<T>;
  readonly #deps: EngineCellDeps;
  readonly #onOld: (value: T) => void;
  #latest: Look<T> | undefined;
  #looking: Promise<Look<T>> | undefined;
  /** How many changes the engine has reported. */
  #told = 0;
  /** How many of them had been reported when the latest look was sent. */
  #seen = 0;

  /**
   * `nameOf`: is called once there are keys, from which names are made. `onOld`: called with a value that was read too long ago to tell what the engine has now. It
   * was stored all the same.
   */
  constructor(
    nameOf: () => string,
    format: Format<T>,
    deps: EngineCellDeps,
    onOld: (value: T) => void = () => undefined,
  ) {
    this.#nameOf = nameOf;
    this.#format = format;
    this.#deps = deps;
    this.#onOld = onOld;
  }

  get name(): string {
    this.#name ??= this.#nameOf();
    return this.#name;
  }

  /** Undefined if nothing was seen, or the last value may be out of date. */
  get latest(): Look<T> | undefined {
    return this.#latest;
  }

  /** The engine has reported a change: a read that was sent before may return the old value. */
  told(): void {
    this.#told++;
    this.#looking = undefined;
  }

  /** Reads the value; concurrent callers share one read. Rejects with StoreAwayError, or with the reason for missing keys. */
  look(): Promise<Look<T>> {
    const latest = this.#latest;
    const isCurrent = latest !== undefined && this.#seen === this.#told;
    if (isCurrent && this.#deps.clock.monotonic() - latest.at < SAME_LOOK_MS) return Promise.resolve(latest);
    return this.lookNow();
  }

  /** The same, with a new read unless one is pending that was sent after the last reported change. */
  lookNow(): Promise<Look<T>> {
    if (this.#looking !== undefined) return this.#looking;
    const looking = this.#get().finally(() => {
      if (this.#looking === looking) this.#looking = undefined;
    });
    this.#looking = looking;
    return looking;
  }

  /** The last seen value is no longer current. */
  forget(): void {
    this.#latest = undefined;
  }

  /** The engine's state now, after such a read. */
  momentOf({ engineNow, at, epoch }: Look<T>): Moment {
    const passedMs = Math.max(0, this.#deps.clock.monotonic() - at);
    return { now: Math.floor(engineNow + passedMs), epoch: epoch ?? '' };
  }

  /**
   * Puts what `decide` returns for the current value, and calls it again if another process was faster. It starts from the last value that this process saw, so
   * a process that has just changed a value needs no read. Rejects with StoreAwayError, whose `applied` says whether the change may have been made.
   */
  async change(
    decide: (value: T | undefined, moment: Moment) => Change<T>,
    { tell, overwrite = false }: ChangeOptions,
  ): Promise<{
    readonly kind: 'put' | 'as-is' | 'refused';
    readonly reason?: string;
    readonly look: Look<T>;
  }> {
    let look = this.#latest ?? (await this.lookNow());
    // Also for one that was seen before: it is sealed under the key that is the first by now.
    await this.#deps.codec.ready();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (look.isOld) look = await this.lookNow();
      const mayReplace = overwrite && !(look.problem instanceof LaterVersionError);
      if (look.problem !== undefined && !mayReplace) throw look.problem;
      const change = decide(look.value, this.momentOf(look));
      if (change.kind === 'refused') return { kind: 'refused', reason: change.reason, look };
      if (change.kind === 'as-is') return { kind: 'as-is', look };
      const put = await this.#put(look, change, tell || change.tell === true);
      look = put.look;
      if (!put.isOurs && look.problem !== undefined) look = await this.lookNow();
      if (put.isOurs) return { kind: 'put', look };
    }
    const { place } = this.#deps.engine;
    throw new StoreAwayError(`the shared store at ${place} is changed all the time`, { applied: 'no' });
  }

  #asked(): Asked {
    return { told: this.#told, at: this.#deps.clock.monotonic() };
  }

  async #put(
    look: Look<T>,
    { value, expiresInMs }: Extract<Change<T>, { kind: 'put' }>,
    tell: boolean,
  ): Promise<{ readonly isOurs: boolean; readonly look: Look<T> }> {
    const { engine, codec } = this.#deps;
    const next = nextSeq(look.seq, look.engineNow);
    const sealed = codec.seal(this.name, next, value, this.#format);
    if (sealed.length > MAX_CELL_BYTES) throw new StoreError('the credential is too large to be kept');
    const asked = this.#asked();
    try {
      const { kind, cell } = await engine.put(
        this.name,
        sealed,
        { seq: look.seq, epoch: look.epoch, next },
        tell,
        expiresInMs,
      );
      if (kind === 'superseded') return { isOurs: false, look: this.#see(cell, asked) };
      return { isOurs: true, look: this.#saw({ ...cell, body: sealed }, asked, value) };
    } catch (error) {
      this.forget();
      if (!(error instanceof StoreAwayError) || error.applied === 'no') throw error;
      // Never sent twice: its result is looked up. Sealed once, so no other value has these bytes.
      const askedAgain = this.#asked();
      const cell = await engine.get(this.name).catch(() => {
        throw error;
      });
      const found = this.#see(cell, askedAgain);
      const isOurs = cell.seq === next && cell.body !== undefined && areEqual(cell.body, sealed);
      return { isOurs, look: found };
    }
  }

  async #get(): Promise<Look<T>> {
    try {
      const { codec, engine } = this.#deps;
      await codec.ready();
      for (let attempt = 0; attempt < 2; attempt++) {
        const asked = this.#asked();
        const cell = await engine.get(this.name);
        const look = this.#see(cell, asked);
        if (look.isOld) continue;
        const isUnknown = look.problem instanceof UnknownKeyError;
        return isUnknown && (await codec.ready(true)) ? this.#see(cell, asked) : look;
      }
      throw new StoreAwayError(`the shared store at ${engine.place} answers too late`, { applied: 'no' });
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  #see(cell: Cell, asked: Asked): Look<T> {
    const { codec } = this.#deps;
    if (cell.body === undefined) return this.#saw(cell, asked, undefined);
    try {
      if (cell.body.length > MAX_CELL_BYTES) return this.#saw(cell, asked, undefined);
      return this.#saw(cell, asked, codec.open(this.name, cell.seq, cell.body, this.#format));
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
      // A value that was changed in transit or stored under another name is discarded. A value written with another key or by a later version is kept.
      const problem = error.code === 'not_authentic' ? undefined : this.#explained(error);
      return this.#saw(cell, asked, undefined, problem);
    }
  }

  #explained(error: DrawbridgeError): DrawbridgeError {
    if (!(error instanceof UnknownKeyError)) return error;
    return new UnknownKeyError(`the login on ${this.#deps.engine.place} is ${error.message}`, {
      hint: 'Give this machine the key that the others use; --store-key-file takes several, the newest first.',
      check: 'store.engine',
    });
  }

  #saw(cell: Cell, asked: Asked, value: T | undefined, problem?: DrawbridgeError): Look<T> {
    const { clock, onTime } = this.#deps;
    const at = clock.monotonic();
    const isOld = at - asked.at > MAX_ANSWER_MS;
    if (!isOld) onTime(cell.now);
    else if (value !== undefined) this.#onOld(value);
    const look = {
      value,
      problem,
      seq: cell.seq,
      keyId: cell.body && sealedUnder(cell.body),
      epoch: cell.epoch,
      engineNow: cell.now,
      at,
      isOld,
    };
    // An answer that was delayed shows less than the latest look does.
    if (asked.told >= this.#seen) [this.#latest, this.#seen] = [isOld ? undefined : look, asked.told];
    return look;
  }
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
