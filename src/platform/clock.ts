import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { abortSignal, type StopSignal } from './stop.ts';

/** Time as the features see it: they never read a clock of their own. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that only ever grow, for time-outs and for noticing that the machine slept. */
  monotonic(): number;
  /** Milliseconds since the machine was started, those that it slept included; setting the wall clock changes nothing. Costs a system call or two. */
  uptime(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. Leaves no timer behind. */
  sleep(ms: number, signal?: StopSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => uptime() * 1000,
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal: abortSignal(signal) });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};
