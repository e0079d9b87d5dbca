import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { retryWhileHeldOpen } from './held-open.ts';
import { StoreInsecureError, systemCode } from './store-errors.ts';

/** Windows has neither; there the folder's own protection has to suffice. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
/** A named pipe in place of our file must not block us. */
const NON_BLOCK = constants.O_NONBLOCK ?? 0;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * The folder, created with mode 0700 if it does not exist. An existing folder keeps its mode: it may hold other files of the user, and the files that we put
 * into it are private anyway. Rejects a folder that is a link, belongs to another user, or is writable by others: each lets someone else choose what we read.
 */
export async function ensureFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  const stats = await lstat(path);
  if (!stats.isDirectory()) throw insecure(path, 'is not a folder (or is a link)');
  if (isForeign(stats)) throw insecure(path, 'belongs to another user');
  if (process.platform !== 'win32' && isOpenToOthers(stats.mode)) {
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
    throw insecure(
      path,
      `can be written to by other users (its mode is ${mode})`,
      `Take that right away (chmod go-w ${path}), or name another folder with --home or MCP_DRAWBRIDGE_HOME.`,
    );
  }
}

/** With the sticky bit others can add files, but cannot rename or remove ours (chmod(2), S_ISVTX). */
export function isOpenToOthers(mode: number): boolean {
  return (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
}

export type ReadFileResult =
  | { readonly kind: 'absent' }
  /** A link, another user's file, not a regular file, or too large: it must not be read. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'bytes'; readonly bytes: Buffer };

export async function readOwnFile(path: string, maxBytes: number): Promise<ReadFileResult> {
  let handle: FileHandle;
  try {
    handle = await openFile(path, constants.O_RDONLY | NO_FOLLOW | NON_BLOCK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return { kind: 'absent' };
    // The errors of O_NOFOLLOW for a link: ELOOP; EMLINK on FreeBSD and some others.
    if (code === 'ELOOP' || code === 'EMLINK') return { kind: 'refused', reason: 'is a link' };
    throw error;
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return { kind: 'refused', reason: 'is not a file' };
    if (isForeign(stats)) return { kind: 'refused', reason: 'belongs to another user' };
    if (stats.size > maxBytes) return { kind: 'refused', reason: `is larger than ${maxBytes} bytes` };
    return { kind: 'bytes', bytes: await handle.readFile() };
  } finally {
    await handle.close();
  }
}

/** An existing file; on Windows another program may prevent it from being opened for a moment. */
export function openFile(path: string, flags: number): Promise<FileHandle> {
  return retryWhileHeldOpen(() => open(path, flags));
}

/** `unsynced`: for content that has no meaning after a power cut. */
export type Durability = 'synced' | 'unsynced';

/** Creates a file. False: it exists already. */
export async function createFile(
  path: string,
  bytes: Uint8Array,
  durability: Durability = 'synced',
): Promise<boolean> {
  let handle: FileHandle;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW;
    // On Windows a removed file keeps its name until its last reader closes it.
    handle = await retryWhileHeldOpen(() => open(path, flags, FILE_MODE));
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    await handle.writeFile(bytes);
    if (durability === 'synced') await handle.sync();
  } catch (error) {
    await handle.close();
    await removeFile(path);
    throw error;
  }
  await handle.close();
  return true;
}

/**
 * Creates a file exclusively: of all concurrent callers exactly one gets true. The file appears complete (link(2), as exclusive as O_EXCL): a process that is
 * killed here leaves no reservation without its owner's name. On file systems without hard links, O_EXCL alone is used.
 */
export async function createFileWhole(
  path: string,
  bytes: Uint8Array,
  durability: Durability = 'synced',
): Promise<boolean> {
  const temporary = await stageFile(path, bytes, durability);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return false;
    if (code === undefined || !NO_HARD_LINKS.has(code)) throw error;
    return await createFile(path, bytes, durability);
  } finally {
    await removeFile(temporary);
  }
}

const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EISDIR']);

/** Replaces a file atomically: a reader sees the old bytes or the new ones, also after a power cut. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = await stageFile(path, bytes);
  try {
    await moveFile(temporary, path);
  } catch (error) {
    await removeFile(temporary);
    throw error;
  }
}

/** The staged file, in the same folder. */
export async function stageFile(
  path: string,
  bytes: Uint8Array,
  durability: Durability = 'synced',
): Promise<string> {
  const temporary = temporaryName(path);
  if (!(await createFile(temporary, bytes, durability)))
    throw insecure(temporary, 'was there before it was made');
  return temporary;
}

export function temporaryName(path: string): string {
  return `${path}.${randomBytes(8).toString('hex')}.tmp`;
}

/** Renames, and syncs the folder's entry to disk. */
export async function moveFile(from: string, to: string): Promise<void> {
  await renameFile(from, to);
  await syncFolder(dirname(to));
}

/** Renames without a sync, for content that need not survive a power cut. */
export async function renameFile(from: string, to: string): Promise<void> {
  await retryWhileHeldOpen(() => rename(from, to));
}

/** True: it existed. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await retryWhileHeldOpen(() => unlink(path));
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder to sync it; NTFS journals the rename itself.
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isForeign(stats: Stats): boolean {
  return process.getuid !== undefined && stats.uid !== process.getuid();
}

function insecure(
  path: string,
  why: string,
  hint = 'Remove it, or name another folder with --home or MCP_DRAWBRIDGE_HOME.',
): StoreInsecureError {
  return new StoreInsecureError(`${path} ${why}`, { hint });
}
