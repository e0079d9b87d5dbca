import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import { Stop, type StopSignal } from '../../platform/stop.ts';
import type { CellCodec } from './cell-codec.ts';
import type { Engine } from './engine.ts';

export interface CellWatchDeps {
  readonly engine: Engine;
  readonly codec: Pick<CellCodec, 'isReady'>;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
}

/** Why a pause ends early. */
const WOKEN = Symbol('woken');

interface EngineCellName {
  readonly name: string;
}

/** Waits for changes of one cell: wakes up on a notification from the engine, and also from time to time. */
export class CellWatch {
  readonly #deps: CellWatchDeps;
  readonly #cell: EngineCellName;
  readonly #turnMs: number;
  readonly #onChange: () => void;
  #end: (() => void) | undefined;
  #told = 0;
  #lookedAt = 0;
  readonly #waiting = new Set<Stop>();

  /** `turnMs`: the pause between two reads without a notification; it varies by as much again. */
  constructor(cell: EngineCellName, turnMs: number, onChange: () => void, deps: CellWatchDeps) {
    this.#cell = cell;
    this.#turnMs = turnMs;
    this.#onChange = onChange;
    this.#deps = deps;
  }

  /** Starts watching, once, as soon as there are keys: without them nobody knows the cell's name. */
  start(): void {
    if (!this.#deps.codec.isReady) return;
    this.#end ??= this.#deps.engine.watch(this.#cell.name, () => {
      this.#told++;
      for (const waiting of this.#waiting) waiting.abort(WOKEN);
      this.#onChange();
    });
  }

  /** To be called when a read begins: it covers all earlier notifications. */
  looks(): void {
    this.#lookedAt = this.#told;
  }

  /** Resolves on a notification since the last read began, or after a turn. Rejects with the signal's reason. */
  async changed(signal: StopSignal): Promise<void> {
    this.start();
    const { clock, random } = this.#deps;
    signal.throwIfAborted();
    if (this.#told !== this.#lookedAt) return;
    const waiting = new Stop();
    const stop = () => waiting.abort(signal.reason);
    this.#waiting.add(waiting);
    signal.addEventListener('abort', stop, { once: true });
    try {
      await clock.sleep(this.#turnMs * (1 + random.fraction()), waiting.signal);
    } catch (error) {
      if (error !== WOKEN) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#waiting.delete(waiting);
    }
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
  }
}
