import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../errors.ts';

/** One file holds a long day at debug level. */
export const LOG_FILE_MAX_BYTES = 5 * 1024 ** 2;
/** Two weeks of a person's instances; with the limit above, 100 MiB at most. */
export const LOG_FILES_KEPT = 20;

const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = fs.constants;
/** Not there on Windows, where O_EXCL alone has to do. */
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;

export interface LogFile {
  readonly path: string;
  /** Throws when the disk does not take it. */
  write(line: string): void;
  close(): void;
}

/** A new file of this instance's own in `folder`; the oldest of the others are removed. Throws when that cannot be had. */
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
      if (length > 0 && length + bytes.length > LOG_FILE_MAX_BYTES) {
        fs.closeSync(file);
        fs.renameSync(path, join(folder, `${name}.1.log`));
        file = openNew(path);
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

/** A folder that somebody else prepared would show them the log, or make it land elsewhere (.github/SECURITY.md, attacks 33, 34). */
function secureFolder(folder: string): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = fs.lstatSync(folder);
  if (!found.isDirectory()) throw new ConfigError(`${folder} is not a folder of its own`);
  const user = process.getuid?.();
  if (user === undefined) return;
  if (found.uid !== user) throw new ConfigError(`${folder} belongs to another user`);
  // One that was there keeps its mode, since it may hold other things of the user's; the files are closed by themselves.
  for (const each of [dirname(folder), folder]) {
    const { mode } = fs.lstatSync(each);
    const isSticky = (mode & 0o1000) !== 0;
    if ((mode & 0o022) !== 0 && !isSticky) throw new ConfigError(`${each} can be written to by other users`);
  }
}

/** Names begin with the time, so the order of names is the order of age. A file that does not go away is left. */
function removeOldest(folder: string): void {
  const logs = fs
    .readdirSync(folder)
    .filter((name) => /^\d{4}-\d\d-\d\dT[\d.-]+Z-\d+(\.1)?\.log$/.test(name))
    .sort();
  for (const name of logs.slice(0, Math.max(0, logs.length - LOG_FILES_KEPT + 1))) {
    try {
      fs.rmSync(join(folder, name), { force: true });
    } catch {
      // On Windows, one that a viewer or a backup has open (EPERM, EBUSY).
    }
  }
}
