import type { Writable } from 'node:stream';

/** The only writer to stdout. It writes whole lines in order, with one system call per turn of the event loop where possible. */
export interface HostWriter {
  /** Writes one message. If it returns a promise, the host is behind; the promise resolves when there is room for more. */
  write(message: Uint8Array | string): Promise<void> | undefined;
  /** The same promise as `write` returns, without writing; undefined while the host keeps up. */
  readonly untilReady: () => Promise<void> | undefined;
  /** Resolves when everything has been handed to the operating system, or when the host is gone. */
  flushed(): Promise<void>;
  /** Bytes held in memory that the host has not read yet. */
  readonly pendingBytes: number;
}

const LINE_END = '\n';
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Smaller messages are copied together into one chunk; a larger message is written by itself. Also the most that a batch may hold. */
const BATCH_BYTES = 64 * 1024;

/**
 * Creates the writer. Messages written in one turn of the event loop go out together: answers that arrive at the same time on different
 * connections cost one system call and wake the host once. `onBroken` is called once, when the host has stopped reading (EPIPE) or the
 * stream fails in another way.
 */
export function createHostWriter(stdout: Writable, onBroken: (error: Error) => void): HostWriter {
  let broken = false;
  let batch: (Uint8Array | string)[] = [];
  /** Counts UTF-16 units for strings: good enough as a limit, not exact in bytes. */
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

/** Joins several messages into one chunk. */
function joined(messages: readonly (Uint8Array | string)[]): Uint8Array | string {
  if (messages.every((one) => typeof one === 'string')) return messages.join('');
  return Buffer.concat(messages.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)));
}

/**
 * Puts a JSON text on one line. In JSON a raw line break can only occur between tokens (RFC 8259 §7: strings escape it), so replacing it with
 * a space changes nothing, and big integers and key order stay as they were sent.
 */
export function onOneLine(json: Uint8Array): Uint8Array {
  if (!json.includes(LF) && !json.includes(CR)) return json;
  const copy = new Uint8Array(json);
  for (let at = 0; at < copy.length; at++) {
    if (copy[at] === LF || copy[at] === CR) copy[at] = SPACE;
  }
  return copy;
}
