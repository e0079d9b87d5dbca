import { setMaxListeners } from 'node:events';
import type { StopSignal } from './stop.ts';

/** Waits for `shared`; rejects with the signal's reason when it aborts first. The shared operation itself goes on, since others may wait for it. */
export function abortable<T>(shared: Promise<T>, signal: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    // One signal may have a listener for each request; Node's warning about their number would go to stderr.
    if (signal instanceof EventTarget) setMaxListeners(0, signal);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
