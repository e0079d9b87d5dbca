import { setMaxListeners } from 'node:events';
import type { StopSignal } from './stop.ts';

/** Stops waiting when the signal aborts, with its reason; what is waited for goes on, others may share it. */
export function abortable<T>(shared: Promise<T>, signal: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    // As many as there are requests under one signal; Node's warning about it would go to stderr.
    if (signal instanceof EventTarget) setMaxListeners(0, signal);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
