import type { Clock } from '../../platform/clock.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { SLEPT_MS, WAKE_LOOK_MS } from './limits.ts';

export interface LivenessOptions {
  readonly clock: Clock;
  readonly signal: StopSignal;
  /** The machine slept: connections from before may be dead without anybody having been told. */
  readonly onWake: () => void;
}

/**
 * Whether the machine slept between two looks. Some systems stop the monotonic clock meanwhile and some do not, so it is the wall clock that is
 * compared with how often is looked. A clock that was set ahead looks the same, and costs one new connection.
 */
export function sleptBetween(lastWallMs: number, wallMs: number): boolean {
  return wallMs - lastWallMs > WAKE_LOOK_MS + SLEPT_MS;
}

/** Notices by itself, and with each message, that the machine has woken up (FAULTS 34). */
export class Liveness {
  readonly #options: LivenessOptions;
  #lastLook: number;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#lastLook = options.clock.now();
    void this.#watch();
  }

  look(): void {
    const now = this.#options.clock.now();
    const slept = sleptBetween(this.#lastLook, now);
    this.#lastLook = now;
    if (slept) this.#options.onWake();
  }

  async #watch(): Promise<void> {
    const { clock, signal } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(WAKE_LOOK_MS, signal).then(
        () => this.look(),
        () => {},
      );
    }
  }
}
