import { join } from 'node:path';
import { ensureFolder, readOwnFile, replaceFile } from '../../store/files/atomic-file.ts';
import { moved, type Splice } from '../edit/splice.ts';

/** The changes of an installation in a file, so that they can be undone to the byte. */
export interface JournalEntry {
  /** The file, behind any links. */
  readonly file: string;
  /** The keys that lead to the entry, its name included. */
  readonly path: readonly string[];
  /** From the current text to the original one. */
  readonly undo: readonly Splice[];
  /** The file did not exist before. */
  readonly made: boolean;
  readonly folder?: string | undefined;
}

const MAX_BYTES = 4 * 1024 ** 2;

/** The installations on this machine, in FOLDER/installed.json. An unreadable journal counts as empty: it is useful, but not required. */
export class Journal {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async find(file: string, path: readonly string[]): Promise<JournalEntry | undefined> {
    return (await this.#read()).find(isOf(file, path));
  }

  /** Replaces the record of an entry after these splices in its file, in steps; without `entry` it is removed. */
  async put(
    { file, path }: Pick<JournalEntry, 'file' | 'path'>,
    steps: readonly (readonly Splice[])[],
    entry: JournalEntry | undefined,
  ): Promise<void> {
    const before = await this.#read();
    const others = before.flatMap((each) => {
      if (isOf(file, path)(each)) return [];
      const undo = each.file === file ? afterAll(each.undo, steps) : each.undo;
      return undo === undefined ? [] : [{ ...each, undo }];
    });
    if (entry === undefined && before.length === 0) return;
    await ensureFolder(this.#folder);
    const entries = entry === undefined ? others : [...others, entry];
    await replaceFile(this.#path, Buffer.from(`${JSON.stringify({ version: 1, entries }, null, 2)}\n`));
  }

  get #path(): string {
    return join(this.#folder, 'installed.json');
  }

  async #read(): Promise<readonly JournalEntry[]> {
    try {
      const read = await readOwnFile(this.#path, MAX_BYTES);
      if (read.kind !== 'bytes') return [];
      const { entries } = JSON.parse(read.bytes.toString('utf8')) as { entries?: unknown };
      return Array.isArray(entries) ? entries.filter(isEntry) : [];
    } catch {
      return [];
    }
  }
}

function afterAll(
  undo: readonly Splice[],
  steps: readonly (readonly Splice[])[],
): readonly Splice[] | undefined {
  return steps.reduce<readonly Splice[] | undefined>(
    (splices, step) => splices && moved(splices, step),
    undo,
  );
}

const isOf = (file: string, path: readonly string[]) => (entry: JournalEntry) =>
  entry.file === file && entry.path.length === path.length && entry.path.every((key, at) => key === path[at]);

function isEntry(value: unknown): value is JournalEntry {
  const { file, path, undo, made } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return (
    typeof file === 'string' &&
    typeof made === 'boolean' &&
    Array.isArray(path) &&
    path.every((key) => typeof key === 'string') &&
    Array.isArray(undo) &&
    undo.every(isSplice)
  );
}

function isSplice(value: unknown): value is Splice {
  const { start, removed, inserted } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return Number.isSafeInteger(start) && typeof removed === 'string' && typeof inserted === 'string';
}
