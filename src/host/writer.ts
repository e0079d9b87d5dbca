import type { Writable } from 'node:stream';

/** The only writer to stdout: whole lines, in order, one system call per tick where possible. */
export interface HostWriter {
  /** Writes one message. The promise, where there is one, resolves when the host has read enough for more. */
  write(message: Uint8Array | string): Promise<void> | undefined;
  /** The promise of `write` again, without writing: undefined while the host keeps up. */
  untilReady(): Promise<void> | undefined;
  /** Resolves when everything was handed to the system, or the host is gone. */
  flushed(): Promise<void>;
  /** Bytes that the host has not read yet and that are held in memory. */
  readonly pendingBytes: number;
}

const LINE_END = '\n';
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** `onBroken` is told once, when the host no longer reads (EPIPE) or the stream fails otherwise. */
export function createHostWriter(stdout: Writable, onBroken: (error: Error) => void): HostWriter {
  let broken = false;
  let corked = false;
  let drained: Promise<void> | undefined;

  stdout.on('error', (error: Error) => {
    if (broken) return;
    broken = true;
    onBroken(error);
  });

  const untilDrained = () => {
    drained ??= new Promise<void>((resolve) => {
      const done = () => {
        stdout.off('drain', done);
        stdout.off('close', done);
        stdout.off('error', done);
        drained = undefined;
        resolve();
      };
      stdout.on('drain', done);
      stdout.on('close', done);
      stdout.on('error', done);
    });
    return drained;
  };

  return {
    write(message) {
      if (broken || stdout.destroyed) return undefined;
      if (!corked) {
        corked = true;
        stdout.cork();
        process.nextTick(() => {
          corked = false;
          stdout.uncork();
        });
      }
      stdout.write(message);
      return stdout.write(LINE_END) ? undefined : untilDrained();
    },
    untilReady: () => drained,
    flushed: () =>
      new Promise<void>((resolve) => {
        if (broken || stdout.destroyed) return resolve();
        stdout.once('error', () => resolve());
        stdout.write('', () => resolve());
      }),
    get pendingBytes() {
      return stdout.writableLength;
    },
  };
}

/**
 * A JSON text on one line. In JSON a raw line break can only stand between tokens (RFC 8259 §7: strings escape it), so a space in its place
 * changes nothing, and big integers and key order stay as they were sent.
 */
export function onOneLine(json: Uint8Array): Uint8Array {
  if (!json.includes(LF) && !json.includes(CR)) return json;
  const copy = new Uint8Array(json);
  for (let at = 0; at < copy.length; at++) {
    if (copy[at] === LF || copy[at] === CR) copy[at] = SPACE;
  }
  return copy;
}
