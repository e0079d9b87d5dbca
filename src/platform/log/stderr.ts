import type { Writable } from 'node:stream';

/** The most that may wait for a reader of stderr. Beyond it lines are dropped, so that a host that does not read stderr cannot stop the relay. */
export const STDERR_QUEUE_MAX_BYTES = 64 * 1024;
/** How long the program waits at its end for the last lines to be read. */
const FLUSH_MAX_MS = 200;

/** Writes lines without ever blocking. */
export interface LineWriter {
  write(line: string): void;
  /** Waits briefly until everything has been written. */
  flush(): Promise<void>;
}

/**
 * Writes lines to a stream that may be full, unread or closed; `lostLine` makes the line that reports dropped ones. On POSIX, libuv sets a
 * pipe as `process.stderr` to non-blocking, and Node queues what does not fit. A child that inherited the pipe would make it blocking for
 * both, because libuv clears the flag on the shared description; so no child may inherit it. On Windows Node makes the pipe blocking,
 * which is undone here.
 */
export function createLineWriter(stream: Writable, lostLine: (count: number) => string): LineWriter {
  let lost = 0;
  const state = stateOf(stream);
  const write = (line: string): void => {
    if (state.broken || stream.destroyed) return;
    if (stream.writableLength > STDERR_QUEUE_MAX_BYTES) {
      lost += 1;
      return;
    }
    const text = lost === 0 ? line : lostLine(lost) + line;
    lost = 0;
    stream.write(Buffer.from(text, 'utf8'));
  };
  return {
    write,
    flush: () =>
      new Promise((resolve) => {
        if (state.broken || stream.destroyed || stream.writableLength === 0) return resolve();
        const timer = setTimeout(resolve, FLUSH_MAX_MS);
        stream.write('', () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

interface StreamState {
  /** EPIPE, EIO: the reader is gone. */
  broken: boolean;
}

/** A stream is prepared once, however many writers it gets: each listener for its errors would stay on it. */
const states = new WeakMap<Writable, StreamState>();

function stateOf(stream: Writable): StreamState {
  const known = states.get(stream);
  if (known !== undefined) return known;
  const state = { broken: false };
  states.set(stream, state);
  unblock(stream);
  stream.on('error', () => {
    state.broken = true;
  });
  return state;
}

function unblock(stream: Writable): void {
  if (process.platform !== 'win32') return;
  const handle: unknown = Reflect.get(stream, '_handle');
  if (typeof handle !== 'object' || handle === null || !('setBlocking' in handle)) return;
  if (typeof handle.setBlocking === 'function') handle.setBlocking(false);
}
