import type { Clock } from '../../platform/clock.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import type { SendProgress } from '../../remote/http/message-options.ts';

/** Whether the answer to `initialize` is on its way: the request was sent completely, and no response has come that requires another step first. */
export class FirstContact implements SendProgress {
  #isUnderWay = false;
  #returned = new AbortController();

  /** There is nothing to wait for before the whole request was sent. */
  sending(): void {}

  /** The last byte of `initialize` went out. */
  sent(): void {
    this.#isUnderWay = true;
  }

  /** The attempt failed, or a token or a sign-in is needed. */
  returned(): void {
    this.#isUnderWay = false;
    this.#returned.abort();
    this.#returned = new AbortController();
  }

  /** Resolves when no answer is on its way (any more), or after `ms`. Rejects with the signal's reason. */
  async whileUnderWay(ms: number, clock: Clock, signal: StopSignal): Promise<void> {
    if (!this.#isUnderWay) return;
    const returned = this.#returned.signal;
    await clock.sleep(ms, anySignal([signal, returned])).catch(() => undefined);
    signal.throwIfAborted();
  }
}
