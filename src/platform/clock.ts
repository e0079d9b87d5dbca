import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { StopSignal } from './stop.ts';

/** The only source of time for the rest of the program. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, for timeouts and for noticing that the machine slept. */
  monotonic(): number;
  /** Milliseconds since the machine started, including sleep; setting the wall clock does not change it. Costs a system call or two. */
  uptime(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. Leaves no timer behind. */
  sleep(ms: number, signal?: StopSignal): Promise<void>;
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => uptime() * 1000,
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    });
  },
};
