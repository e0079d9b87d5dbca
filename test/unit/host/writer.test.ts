import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createHostWriter } from '../../../src/host/writer.ts';

/** A host that reads when it is told to; what it got, write by write. */
function slowHost(highWaterMark = 16_384) {
  const writes: string[] = [];
  let read: (() => void) | undefined;
  const stdout = new Writable({
    highWaterMark,
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(chunk.toString('utf8'));
      read = done;
    },
  });
  const readAll = async () => {
    while (read !== undefined) {
      const done = read;
      read = undefined;
      done();
      await turn();
    }
  };
  return { stdout, writes, readAll };
}

test('writes the messages of one turn of the event loop at once, in order, text and bytes alike', async () => {
  const { stdout, writes } = slowHost();
  const writer = createHostWriter(stdout, () => {});
  expect(writer.write('"one"')).toBeUndefined();
  expect(writer.write(Buffer.from('"zwei ü"'))).toBeUndefined();
  expect(writer.write('"drei 漢"')).toBeUndefined();
  await turn();
  expect(writes).toEqual(['"one"\n"zwei ü"\n"drei 漢"\n']);
});

test('keeps the order of large and small messages', async () => {
  const { stdout, writes, readAll } = slowHost();
  const writer = createHostWriter(stdout, () => {});
  const large = 'x'.repeat(100_000);
  writer.write('"before"');
  void writer.write(large);
  void writer.write('"after"');
  await turn();
  await readAll();
  expect(writes.join('')).toBe(`"before"\n${large}\n"after"\n`);
});

test('waits for a host that does not read, and counts what is held', async () => {
  const { stdout, writes, readAll } = slowHost(1_000);
  const writer = createHostWriter(stdout, () => {});
  writer.write('x'.repeat(2_000));
  expect(writer.pendingBytes).toBeGreaterThanOrEqual(2_000);
  await turn();
  const ready = writer.write('"next"');
  expect(ready).toBeInstanceOf(Promise);
  expect(writer.untilReady()).toBe(ready);
  await turn();
  await readAll();
  await ready;
  expect(writer.untilReady()).toBeUndefined();
  expect(writes.join('')).toBe(`${'x'.repeat(2_000)}\n"next"\n`);
});

test('flushes many small messages before the turn ends', () => {
  const { stdout, writes } = slowHost();
  const writer = createHostWriter(stdout, () => {});
  for (let at = 0; at < 100; at++) void writer.write('x'.repeat(1_000));
  expect(writes.length).toBeGreaterThan(0);
});

test('flush() hands over what was written in this turn', async () => {
  const { stdout, writes, readAll } = slowHost();
  const writer = createHostWriter(stdout, () => {});
  writer.write('"last"');
  const flushed = writer.flushed();
  await turn();
  await readAll();
  await flushed;
  expect(writes.join('')).toBe('"last"\n');
});

test('reports a closed host once, and discards later writes', async () => {
  const gone: Error[] = [];
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
  const writer = createHostWriter(stdout, (error) => gone.push(error));
  writer.write('"one"');
  await turn();
  await turn();
  expect(writer.write('"two"')).toBeUndefined();
  await writer.flushed();
  expect(gone.map(({ message }) => message)).toEqual(['EPIPE']);
});
