import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeFile, replaceFile } from './atomic-file.ts';
import { StoreMovedError } from './store-errors.ts';

/** Where a login of this folder is now. Contains no secret. */
export interface MoveNote {
  /** The store without its password. */
  readonly to: string;
  readonly prefix: string;
  readonly server: string;
  readonly profile: string;
}

/** A note has some hundred bytes; a larger file is not one. */
const MAX_CHARACTERS = 16 * 1024;

export const notePath = (folder: string, key: string): string => join(folder, `${key}.moved`);

/** The record during the move: nobody uses it, and nothing is lost if the move is killed. */
export const movingPath = (folder: string, key: string): string => join(folder, `${key}.moving`);

/** Undefined: the login was not moved, or the note cannot be read. */
export async function readMoveNote(folder: string, key: string): Promise<MoveNote | undefined> {
  try {
    const text = await readFile(notePath(folder, key), 'utf8');
    const value: unknown = text.length > MAX_CHARACTERS ? undefined : JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { to, prefix, server, profile } = value as Readonly<Record<string, unknown>>;
    const fields = { to, prefix, server, profile };
    return Object.values(fields).every((each) => typeof each === 'string') ? (fields as MoveNote) : undefined;
  } catch {
    return undefined;
  }
}

export function writeMoveNote(folder: string, key: string, note: MoveNote): Promise<void> {
  return replaceFile(notePath(folder, key), Buffer.from(JSON.stringify(note)));
}

/** Removes the note, and the files of an unfinished move. */
export async function removeMove(folder: string, key: string): Promise<void> {
  await removeFile(movingPath(folder, key));
  await removeFile(notePath(folder, key));
}

export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** To be called if the record's file is absent. Rejects with StoreMovedError if a note says that the login is in another store. */
export async function refuseMoved(path: string, key: string): Promise<void> {
  const folder = dirname(path);
  const note = await readMoveNote(folder, key);
  if (note !== undefined) throw new StoreMovedError(note, await isThere(movingPath(folder, key)));
}
