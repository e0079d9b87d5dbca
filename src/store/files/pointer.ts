import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { ensureFolder, isOpenToOthers, replaceFile } from './atomic-file.ts';

/** The file in the usual folder that names the folder used by programs with another environment. */
const POINTER = 'pointer.json';
/** A path has at most 4,096 bytes (Linux, PATH_MAX), some of them escaped in JSON. */
const POINTER_MAX_BYTES = 32 * 1024;

/** The folder named by the pointer in the usual folder. Undefined: there is none, it cannot be trusted, or its folder is gone. */
export function readPointer(usual: string): string | undefined {
  if (!isOwnFolder(usual)) return undefined;
  const folder = folderIn(readOwnText(join(usual, POINTER)));
  return folder !== undefined && folder !== usual && isOwnFolder(folder) ? folder : undefined;
}

/** Whether the store in this folder holds a login. */
export function holdsLogins(home: string): boolean {
  try {
    return readdirSync(join(home, 'credentials')).some((name) => /^[0-9a-f]{64}\.json$/.test(name));
  } catch {
    return false;
  }
}

/**
 * Writes a pointer to this folder into the usual one, unless there already is one that leads to logins: the first stays, so that logins do not move back and
 * forth. Rejects if the usual folder is not writable or not safe.
 */
export async function leavePointer(usual: string, folder: string): Promise<void> {
  const known = readPointer(usual);
  if (known === folder || (known !== undefined && holdsLogins(known))) return;
  if (isShortLived(folder, usual)) return;
  await ensureFolder(usual);
  await replaceFile(join(usual, POINTER), Buffer.from(JSON.stringify({ folder })));
}

/**
 * Folders with a shorter life than the usual one: temporary ones (a test, a build), and those of sandboxed programs. Snap copies its folder with each new
 * version, and two copies of one refresh token end the login.
 */
function isShortLived(folder: string, usual: string): boolean {
  const temporary = [tmpdir(), '/tmp', '/var/tmp', '/dev/shm', '/run'].some(
    (parent) => isIn(parent, folder) && !isIn(parent, usual),
  );
  return temporary || /\/snap\/[^/]+\/[^/]+\/|\/\.var\/app\//.test(folder);
}

const isIn = (parent: string, path: string): boolean => path.startsWith(resolve(parent) + sep);

function folderIn(text: string | undefined): string | undefined {
  try {
    const { folder } = JSON.parse(text ?? '') as { folder?: unknown };
    return typeof folder === 'string' && isAbsolute(folder) && resolve(folder) === folder
      ? folder
      : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a file that belongs to this user and that no one else can write; does not follow links. */
function readOwnText(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || !isOwn(stats) || (stats.mode & 0o022) !== 0) return undefined;
    const bytes = Buffer.alloc(POINTER_MAX_BYTES + 1);
    const length = readSync(file, bytes);
    return length > POINTER_MAX_BYTES ? undefined : bytes.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

function isOwnFolder(path: string): boolean {
  try {
    const stats = lstatSync(path);
    return stats.isDirectory() && isOwn(stats) && !isOpenToOthers(stats.mode);
  } catch {
    return false;
  }
}

function isOwn({ uid }: Stats): boolean {
  return uid === process.getuid?.();
}
