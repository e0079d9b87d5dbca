import { constants } from 'node:fs';
import { chown, copyFile, mkdir, open, readFile, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DrawbridgeError, describeError } from '../../errors.ts';
import { syncFolder, temporaryName } from '../../store/files/atomic-file.ts';
import { retryWhileHeldOpen } from '../../store/files/held-open.ts';
import { systemCode } from '../../store/files/store-errors.ts';

/** A host's file cannot be read or written. */
export class HostFileError extends DrawbridgeError {
  readonly code = 'host_file';
}

/** Config files have some KiB; one with the state of sessions in it may have some MiB. */
const MAX_BYTES = 32 * 1024 ** 2;
/** Of a new file: hosts store secrets of other servers in it. */
const NEW_MODE = 0o600;

/** A host's file as read. */
export interface HostFile {
  /** The file itself, behind any links. */
  readonly path: string;
  /** Empty for a missing file. */
  readonly text: string;
  readonly exists: boolean;
}

/** Reads a host's file. Rejects with HostFileError for one that is too large, not text, or cannot be read. */
export async function readHostFile(file: string): Promise<HostFile> {
  let path = file;
  try {
    path = await realpath(file);
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new HostFileError(`${file} is larger than ${MAX_BYTES / 1024 ** 2} MiB`);
    const bytes = await readFile(path);
    return {
      path,
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
      exists: true,
    };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { path: await linkTarget(file), text: '', exists: false };
    if (error instanceof HostFileError) throw error;
    throw new HostFileError(`${file} cannot be read: ${describeError(error)}`, { cause: error });
  }
}

/** The path of a new file, with the links of its folder resolved. A link without a target is not followed, and so not written. */
async function linkTarget(file: string): Promise<string> {
  const folder = await realpath(dirname(file)).catch(() => dirname(file));
  return file.replace(dirname(file), () => folder);
}

/** What was created in addition to the file. */
export interface Written {
  /** The first folder that was created for it. */
  readonly folder?: string | undefined;
  /** The backup of the file; only the first time. */
  readonly backup?: string | undefined;
}

/** The backup of a file from before this program's first change. */
export function backupOf(path: string): string {
  return `${path}.before-mcp-drawbridge`;
}

/** Replaces the text of a file atomically; mode and owner stay. Rejects with HostFileError if the file has changed since it was read, or is not writable. */
export async function writeHostFile(found: HostFile, text: string): Promise<Written> {
  const { path } = found;
  try {
    const folder = await mkdir(dirname(path), { recursive: true });
    const backup = found.exists && (await copyOnce(path, backupOf(path))) ? backupOf(path) : undefined;
    const temporary = temporaryName(path);
    try {
      await stage(temporary, text, found);
      // Read at the last moment: hosts also write their files.
      const now = await readHostFile(path);
      if (now.text !== found.text || now.exists !== found.exists)
        throw new HostFileError(`${path} was just changed by another program`, {
          hint: 'Run the command again.',
        });
      await retryWhileHeldOpen(() => rename(temporary, path));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
    return { folder, backup };
  } catch (error) {
    if (error instanceof HostFileError) throw error;
    throw new HostFileError(`${path} cannot be written: ${describeError(error)}`, { cause: error });
  }
}

async function stage(temporary: string, text: string, { path, exists }: HostFile): Promise<void> {
  const stats = exists ? await stat(path) : undefined;
  const mode = stats === undefined ? NEW_MODE : stats.mode & 0o7777;
  const handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, NEW_MODE);
  try {
    await handle.writeFile(text);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  const isOther = stats !== undefined && process.getuid !== undefined && stats.uid !== process.getuid();
  if (stats !== undefined && isOther) await chown(temporary, stats.uid, stats.gid);
}

async function copyOnce(path: string, copy: string): Promise<boolean> {
  try {
    await copyFile(path, copy, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a file that an installation created. */
export async function removeHostFile(path: string): Promise<void> {
  await retryWhileHeldOpen(() => rm(path, { force: true }));
}

/** Removes the folders that were created for a file, if they are empty: from its own up to `folder`. */
export async function removeEmptyFolders(path: string, folder: string): Promise<void> {
  for (let at = dirname(path); at.startsWith(folder); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}

/** Removes the backup of a file that is in its original state again. */
export async function removeBackup(path: string): Promise<void> {
  const [now, before] = await Promise.all(
    [path, backupOf(path)].map((file) => readFile(file).catch(() => undefined)),
  );
  if (before !== undefined && now?.equals(before) === true) await rm(backupOf(path), { force: true });
}
