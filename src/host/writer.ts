import type { Writable } from 'node:stream';

/** The only writer to stdout: whole lines, in order, one system call per turn of the event loop where possible. */
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

/** A message below this is copied together with its neighbours; a larger one is written as it is. Also how much is held back at most. */
const BATCH_BYTES = 64 * 1024;

/**
 * What came in one turn of the event loop goes out together: answers that arrive side by side, on connections of their own, cost one system
 * call and wake the host once. `onBroken` is told once, when the host no longer reads (EPIPE) or the stream fails otherwise.
 */
export function createHostWriter(stdout: Writable, onBroken: (error: Error) => void): HostWriter {
  let broken = false;
  let batch: (Uint8Array | string)[] = [];
  /** In UTF-16 units where it is a string: a bound, not a measure. */
  let batchLength = 0;
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

  const flush = () => {
    if (batch.length === 0) return;
    const messages = batch;
    batch = [];
    batchLength = 0;
    if (broken || stdout.destroyed) return;
    if (!stdout.write(joined(messages))) untilDrained();
  };

  const writeLarge = (message: Uint8Array | string) => {
    flush();
    stdout.cork();
    stdout.write(message);
    const ready = stdout.write(LINE_END);
    stdout.uncork();
    return ready ? undefined : untilDrained();
  };

  return {
    write(message) {
      if (broken || stdout.destroyed) return undefined;
      if (message.length >= BATCH_BYTES) return writeLarge(message);
      if (batch.length === 0) setImmediate(flush);
      batch.push(message, LINE_END);
      batchLength += message.length;
      if (batchLength >= BATCH_BYTES) flush();
      return drained;
    },
    untilReady: () => drained,
    flushed: () =>
      new Promise<void>((resolve) => {
        flush();
        if (broken || stdout.destroyed) return resolve();
        stdout.once('error', () => resolve());
        stdout.write('', () => resolve());
      }),
    get pendingBytes() {
      return stdout.writableLength + batchLength;
    },
  };
}

/** Several messages as one chunk. */
function joined(messages: readonly (Uint8Array | string)[]): Uint8Array | string {
  if (messages.every((one) => typeof one === 'string')) return messages.join('');
  return Buffer.concat(messages.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)));
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
