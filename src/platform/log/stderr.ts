import type { Writable } from 'node:stream';

/** What may wait for a reader of stderr; beyond it lines are dropped, so that nobody who does not read can stop the relay. */
export const STDERR_QUEUE_MAX_BYTES = 64 * 1024;
/** How long the end of the program waits for the last lines to be taken. */
const FLUSH_MAX_MS = 200;

export interface LineWriter {
  write(line: string): void;
  /** Waits, for a moment at most, until everything was taken. */
  flush(): Promise<void>;
}

/**
 * Lines to a stream that may be full, unread or gone. On POSIX a pipe as `process.stderr` queues what does not fit: libuv sets it
 * non-blocking. A child that inherits it takes that back for both, since libuv clears the flag on what they share; so no child may.
 * On Windows Node makes it blocking, which is taken back here.
 */
export function createLineWriter(stream: Writable, lostLine: (count: number) => string): LineWriter {
  let lost = 0;
  let broken = false;
  unblock(stream);
  stream.on('error', () => {
    broken = true; // EPIPE, EIO: whoever read is gone; there is nobody left to tell
  });
  const write = (line: string): void => {
    if (broken || stream.destroyed) return;
    if (stream.writableLength > STDERR_QUEUE_MAX_BYTES) {
      lost += 1;
      return;
    }
    const told = lost === 0 ? line : lostLine(lost) + line;
    lost = 0;
    stream.write(Buffer.from(told, 'utf8'));
  };
  return {
    write,
    flush: () =>
      new Promise((resolve) => {
        if (broken || stream.destroyed || stream.writableLength === 0) return resolve();
        const timer = setTimeout(resolve, FLUSH_MAX_MS);
        stream.write('', () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

function unblock(stream: Writable): void {
  if (process.platform !== 'win32') return;
  const handle: unknown = Reflect.get(stream, '_handle');
  if (typeof handle !== 'object' || handle === null || !('setBlocking' in handle)) return;
  if (typeof handle.setBlocking === 'function') handle.setBlocking(false);
}
