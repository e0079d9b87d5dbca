import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export type Noted =
  | {
      readonly kind: 'start';
      readonly pid: number;
      readonly argv: readonly string[];
      /** The names of the environment's variables. */
      readonly names: readonly string[];
    }
  /** What came on stdin, and went to stdout and stderr. */
  | { readonly kind: 'in' | 'out' | 'err'; readonly text: string }
  | { readonly kind: 'end' }
  | { readonly kind: 'signal'; readonly name: string }
  | { readonly kind: 'exit'; readonly code: unknown };

export type Entry = Noted & { readonly at: number };

/** What one bridge noted from its start to its end. */
export type Recording = readonly Entry[];

let bundled: Promise<string> | undefined;

/** Writes the preload into a folder and returns its path; what bridges note is put beside it. */
export async function createRecorder(folder: string): Promise<string> {
  bundled ??= build({
    entryPoints: [fileURLToPath(new URL('./recorder.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '');
  const file = join(folder, 'recorder.cjs');
  await writeFile(file, await bundled);
  return file;
}

/** One for each bridge that was started, in the order of their starts. */
export async function readRecordings(recorder: string): Promise<readonly Recording[]> {
  const names = (await readdir(dirname(recorder))).filter(
    (name) => name.startsWith(`${basename(recorder)}.`) && name.endsWith('.jsonl'),
  );
  const recordings = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(dirname(recorder), name), 'utf8');
      const lines = text.split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line) as Entry);
    }),
  );
  return recordings.filter(({ length }) => length > 0).sort(([a], [b]) => (a?.at ?? 0) - (b?.at ?? 0));
}

export function startOf(recording: Recording): Extract<Entry, { kind: 'start' }> {
  const [first] = recording;
  if (first?.kind !== 'start') throw new Error('a recording without a start');
  return first;
}

/** Milliseconds from the bridge's start to its first message for the host, which answers `initialize`. */
export function firstAnswerMs(recording: Recording): number | undefined {
  const first = recording.find(({ kind }) => kind === 'out');
  return first === undefined ? undefined : first.at - startOf(recording).at;
}

/** All that went to stdout, or came on stdin. */
export function textOf(recording: Recording, of: 'in' | 'out' | 'err'): string {
  return recording.flatMap((entry) => (entry.kind === of && 'text' in entry ? [entry.text] : [])).join('');
}
