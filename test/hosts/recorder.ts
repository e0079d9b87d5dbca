// Bundled by recording.ts and run by `node --require` before the built program; needs nothing but Node.
import { appendFileSync } from 'node:fs';
import type { Noted } from './recording.ts';

/** Longer messages are cut: they are looked at, not sent on. */
const MAX_LENGTH = 20_000;
const file = `${__filename}.${process.pid}.jsonl`;

function note(entry: Noted): void {
  try {
    appendFileSync(file, `${JSON.stringify({ at: Date.now(), ...entry })}\n`);
  } catch {
    // The folder went with its cell.
  }
}

type Write = (chunk: unknown, ...rest: never[]) => boolean;

function follow(stream: { write: Write }, kind: 'out' | 'err'): void {
  const write = stream.write.bind(stream) as Write;
  stream.write = (chunk, ...rest) => {
    note({ kind, text: String(chunk).slice(0, MAX_LENGTH) });
    return write(chunk, ...rest);
  };
}

note({
  kind: 'start',
  pid: process.pid,
  argv: process.argv.slice(2),
  names: Object.keys(process.env).sort(),
});
follow(process.stdout as unknown as { write: Write }, 'out');
follow(process.stderr as unknown as { write: Write }, 'err');
// Not a listener, which would make it flow.
const { stdin } = process;
const push = stdin.push.bind(stdin);
stdin.push = (chunk, ...rest) => {
  note(chunk === null ? { kind: 'end' } : { kind: 'in', text: String(chunk).slice(0, MAX_LENGTH) });
  return push(chunk, ...rest);
};
const emit = process.emit as (...args: unknown[]) => boolean;
process.emit = ((...args: unknown[]) => {
  const [name] = args;
  if (typeof name === 'string' && /^SIG(INT|TERM|HUP)$/.test(name)) note({ kind: 'signal', name });
  if (name === 'exit') note({ kind: 'exit', code: process.exitCode });
  return emit.apply(process, args);
}) as typeof process.emit;
