import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { ConfigError } from '../../errors.ts';

/** Settings and headers are a few lines long; a larger file is a wrong path. */
const FILE_MAX_BYTES = 256 * 1024;

/** Reads a file with settings. Throws ConfigError for a file that is too large, and the system's error. */
export function readSettingsFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(FILE_MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null);
    }
    if (length > FILE_MAX_BYTES)
      throw new ConfigError(`the file is larger than ${FILE_MAX_BYTES / 1024} KiB`);
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

/** The permission bits of a file; undefined if there is none, and on Windows, where they mean nothing. */
export function fileMode(path: string): number | undefined {
  if (process.platform === 'win32') return undefined;
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : stats.mode & 0o7777;
}

/** Changes when the file has another content or mode, or is another file; undefined if there is none, or nobody may look. */
export function fileState(path: string): string | undefined {
  try {
    const { ino, size, mtimeMs, mode } = statSync(path);
    return `${ino} ${size} ${mtimeMs} ${mode}`;
  } catch {
    return undefined;
  }
}
