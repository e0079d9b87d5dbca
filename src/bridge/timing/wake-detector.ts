import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { logUnexpected } from '../../platform/log/unexpected-error.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { SLEPT_MS, WAKE_LOOK_MS } from './limits.ts';

export interface WakeDetectorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: StopSignal;
  /** The machine slept: earlier connections may be dead without a notification. */
  readonly onWake: () => void;
  /** The wall clock alone went ahead: it was set, or this is a virtual machine that was suspended and does not count that as its own time. */
  readonly onClockMoved: () => void;
}

/** Whether a clock advanced between two checks by more than even a busy machine is late. */
export function wentAhead(lastMs: number, nowMs: number): boolean {
  return nowMs - lastMs > WAKE_LOOK_MS + SLEPT_MS;
}

/**
 * Notices by itself, and with each message, that the machine has woken up. The monotonic clock stands still meanwhile on some systems, and the
 * wall clock can be set: the time since the machine was started tells the two apart, but is too dear to be asked for with each message.
 */
export class WakeDetector {
  readonly #options: WakeDetectorOptions;
  #wall: number;
  #uptime: number;

  constructor(options: WakeDetectorOptions) {
    this.#options = options;
    this.#wall = options.clock.now();
    this.#uptime = options.clock.uptime();
    void this.#watch();
  }

  /** For each message: reads the wall clock alone, unless that went ahead. */
  look(): void {
    const now = this.#options.clock.now();
    if (wentAhead(this.#wall, now)) this.#lookAtBoth();
    else this.#wall = now;
  }

  #lookAtBoth(): void {
    const { clock, logger, onWake, onClockMoved } = this.#options;
    const wall = clock.now();
    const uptime = clock.uptime();
    const slept = wentAhead(this.#uptime, uptime);
    const moved = wentAhead(this.#wall, wall);
    this.#wall = wall;
    this.#uptime = uptime;
    try {
      if (slept) onWake();
      else if (moved) onClockMoved();
    } catch (error) {
      // The message about to be sent is still worth an attempt.
      logUnexpected(logger, 'connecting after a sleep', error);
    }
  }

  async #watch(): Promise<void> {
    const { clock, signal } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(WAKE_LOOK_MS, signal).then(
        () => this.#lookAtBoth(),
        () => {},
      );
    }
  }
}
