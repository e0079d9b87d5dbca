import { randomBytes } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readOwnFile, removeFile, renameFile } from '../files/atomic-file.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import type { FolderSealing } from '../sealing/folder-sealing.ts';
import { type Opener, openRecord } from './read-record.ts';
import type { CredentialRecord } from './record.ts';
import { rewriteFile } from './rewrite-file.ts';

/** Enough to diagnose a problem; each may hold tokens, and a fault at every start would leave one each time. */
export const SET_ASIDE_KEPT = 3;

/** The set-aside files of one credential. */
export interface SetAside {
  readonly files: number;
  /** The readable ones, newest first: records of another server or resource under this name. */
  readonly records: readonly CredentialRecord[];
}

/** Renames an unusable record, and keeps only the newest of those. Returns the new name. It may contain tokens: if records are sealed, so is it. */
export async function setAside(path: string, sealing: FolderSealing): Promise<string> {
  const folder = dirname(path);
  const key = basename(path, '.json');
  const aside = join(folder, `${key}.corrupt-${randomBytes(6).toString('hex')}`);
  const form = await sealing.form();
  await renameFile(path, aside);
  if (form.keyId !== undefined) await rewriteFile(aside, key, form, sealing);
  for (const older of (await listSetAside(folder, key)).slice(SET_ASIDE_KEPT)) await removeFile(older);
  return aside;
}

export async function readSetAside(folder: string, key: string, opener: Opener): Promise<SetAside> {
  const paths = await listSetAside(folder, key);
  const records: CredentialRecord[] = [];
  for (const path of paths) {
    const read = await readOwnFile(path, MAX_RECORD_BYTES);
    const parsed = read.kind === 'bytes' ? await openRecord(path, key, read.bytes, opener) : undefined;
    if (parsed?.kind === 'record') records.push(parsed.record);
  }
  return { files: paths.length, records };
}

export async function removeSetAside(folder: string, key: string): Promise<void> {
  for (const path of await listSetAside(folder, key)) await removeFile(path);
}

/** Newest first: a rename changes the ctime of a file, and its mtime says when it was written. */
async function listSetAside(folder: string, key: string): Promise<string[]> {
  const prefix = `${key}.corrupt-`;
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const stats = await lstat(path).catch(() => undefined);
      // A folder was not created by us: it stays.
      return stats?.isDirectory() === false ? [{ path, at: stats.ctimeMs }] : [];
    }),
  );
  return found
    .flat()
    .sort((a, b) => b.at - a.at)
    .map(({ path }) => path);
}
