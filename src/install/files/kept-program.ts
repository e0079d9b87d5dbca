import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readSettingsFile } from '../../config/sources/read-file.ts';
import { ensureFolder, replaceFile, temporaryName } from '../../store/files/atomic-file.ts';

/**
 * Copies the program out of a package runner's cache, which may be emptied at any time, and resolves with the script of the copy. Each version has its own
 * folder: running bridges load parts of theirs later.
 */
export async function keepProgram(script: string, home: string, version: string): Promise<string> {
  const folder = keptFolder(home, version);
  const kept = join(folder, 'dist', basename(script));
  if (await isThere(kept)) return kept;
  const dist = dirname(script);
  const temporary = temporaryName(folder);
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  try {
    await cp(dist, join(temporary, 'dist'), { recursive: true, dereference: true });
    // It says that the files are ES modules.
    await cp(join(dirname(dist), 'package.json'), join(temporary, 'package.json'));
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another process may have been faster.
    if (!(await isThere(kept))) throw error;
  }
  return kept;
}

/** The path of the copy of a version. */
export function keptScript(home: string, version: string): string {
  return join(keptFolder(home, version), 'dist', 'launch.cjs');
}

function keptFolder(home: string, version: string): string {
  return join(home, 'program', `mcp-drawbridge@${version}`);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

/** The path of the file for settings that may be secrets; the name distinguishes servers with the same name. */
export function privateSettingsFile(
  home: string,
  name: string,
  settings: Readonly<Record<string, unknown>>,
): string {
  const hash = createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 8);
  return join(home, 'entries', `${name}-${hash}.json`);
}

/** Writes settings for `--config` into a file that only the user can read. */
export async function writePrivateSettings(
  file: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  await mkdir(dirname(dirname(file)), { recursive: true, mode: 0o700 });
  await ensureFolder(dirname(file));
  await replaceFile(file, Buffer.from(`${JSON.stringify(settings, null, 2)}\n`));
}

/** The address in a settings file; undefined where there is none. */
export function addressInSettings(file: string): string | undefined {
  try {
    const { url } = JSON.parse(readSettingsFile(file)) as { url?: unknown };
    return typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a file that `writePrivateSettings` created; one made by a person stays. */
export async function removePrivateSettings(home: string, file: string): Promise<void> {
  if (dirname(file) === join(home, 'entries')) await rm(file, { force: true });
}

/** The path without links; undefined if it does not exist. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
