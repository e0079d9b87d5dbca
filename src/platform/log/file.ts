import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../errors.ts';

/** Enough for a long day at debug level in one file. */
export const LOG_FILE_MAX_BYTES = 5 * 1024 ** 2;
/** Enough for about two weeks of one user's instances; 100 MiB at most with the limit above. */
export const LOG_FILES_KEPT = 20;

const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = fs.constants;
/** Windows has no such flag; there O_EXCL alone has to suffice. */
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;

/** An open log file. */
export interface LogFile {
  readonly path: string;
  /** Throws if the line cannot be written to the disk; the file is open until it is closed. */
  write(line: string): void;
  close(): void;
}

/**
 * Creates a new file for this instance in `folder` and removes the oldest of the others. Throws ConfigError for an unsafe folder, and the
 * system's error if the file cannot be created.
 */
export function createLogFile(
  folder: string,
  options: { readonly now: number; readonly pid: number },
): LogFile {
  secureFolder(folder);
  const name = `${new Date(options.now).toISOString().replaceAll(':', '-')}-${options.pid}`;
  const path = join(folder, `${name}.log`);
  removeOldest(folder);
  let file = openNew(path);
  let length = 0;
  return {
    path,
    write(line) {
      const bytes = Buffer.from(line, 'utf8');
      const wanted = length + bytes.length;
      if (
        length > 0 &&
        wanted > LOG_FILE_MAX_BYTES &&
        isRenamed(path, join(folder, `${name}.1.log`), wanted)
      ) {
        const next = openNew(path);
        fs.closeSync(file);
        file = next;
        length = 0;
      }
      fs.writeSync(file, bytes);
      length += bytes.length;
    },
    close: () => fs.closeSync(file),
  };
}

const openNew = (path: string): number =>
  fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);

/**
 * Makes room for a new file. False: the file cannot be renamed now (on Windows, while another program has one of the two open), and goes on
 * until it is twice as long as it should be. Then the system's error is thrown.
 */
function isRenamed(path: string, earlier: string, wanted: number): boolean {
  try {
    fs.renameSync(path, earlier);
    return true;
  } catch (error) {
    if (wanted > 2 * LOG_FILE_MAX_BYTES) throw error;
    return false;
  }
}

/** A folder that another user prepared could show them the log or redirect it to another place (.github/SECURITY.md, attacks 33, 34). */
function secureFolder(folder: string): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = fs.lstatSync(folder);
  if (!found.isDirectory()) throw new ConfigError(`${folder} is a link or file instead of a folder`);
  const user = process.getuid?.();
  if (user === undefined) return;
  if (found.uid !== user) throw new ConfigError(`${folder} belongs to another user`);
  // An existing folder keeps its mode, since it may contain other files of the user; the log files are private by their own mode.
  for (const each of [dirname(folder), folder]) {
    const { mode } = fs.lstatSync(each);
    const isSticky = (mode & 0o1000) !== 0;
    if ((mode & 0o022) !== 0 && !isSticky) throw new ConfigError(`${each} is writable by other users`);
  }
}

/** Names begin with the time, so sorting by name sorts by age. A file that cannot be removed is left. */
function removeOldest(folder: string): void {
  const logs = fs
    .readdirSync(folder)
    .filter((name) => /^\d{4}-\d\d-\d\dT[\d.-]+Z-\d+(\.1)?\.log$/.test(name))
    .sort();
  for (const name of logs.slice(0, Math.max(0, logs.length - LOG_FILES_KEPT + 1))) {
    try {
      fs.rmSync(join(folder, name), { force: true });
    } catch {
      // On Windows: a viewer or a backup program has the file open (EPERM, EBUSY).
    }
  }
}
