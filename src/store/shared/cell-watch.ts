import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import type { Engine } from './engine.ts';
import type { Timing } from './protocol/timing.ts';

export interface CellWatchDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly timing: Timing;
}

/** Waits for changes of one cell: woken where the engine tells of one, and from time to time besides. */
export class CellWatch {
  readonly #deps: CellWatchDeps;
  readonly #cell: string;
  readonly #onChange: () => void;
  #end: (() => void) | undefined;
  #told = 0;
  #lookedAt = 0;
  #waking = new AbortController();

  constructor(cell: string, onChange: () => void, deps: CellWatchDeps) {
    this.#cell = cell;
    this.#onChange = onChange;
    this.#deps = deps;
  }

  /** Begins to watch, once. */
  start(): void {
    this.#end ??= this.#deps.engine.watch(this.#cell, () => {
      this.#told++;
      this.#waking.abort();
      this.#waking = new AbortController();
      this.#onChange();
    });
  }

  /** To be called when a look begins: what was told before it is seen by it. */
  looks(): void {
    this.#lookedAt = this.#told;
  }

  /** Resolves when something was told since the last look began, or after a turn. Rejects with the signal's reason. */
  async changed(signal: StopSignal): Promise<void> {
    this.start();
    const { clock, random, timing } = this.#deps;
    signal.throwIfAborted();
    if (this.#told !== this.#lookedAt) return;
    const woken = this.#waking.signal;
    const pauseMs = timing.turnMs * (1 + random.fraction());
    await clock.sleep(pauseMs, anySignal([signal, woken])).catch((error: unknown) => {
      if (signal.aborted) throw signal.reason;
      if (!woken.aborted) throw error;
    });
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
  }
}
