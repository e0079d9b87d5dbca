import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createFileWhole, ensureFolder, readOwnFile, removeFile } from './atomic-file.ts';
import { StoreError, systemCode } from './store-errors.ts';

const MAX_BYTES = 512 * 1024;
/** A version that is replaced while being read is looked for again; more often than this in a row has another cause. */
const MAX_LOOKS = 20;

/** Named texts with versions. */
export interface TextFolder {
  read(name: string): Promise<{ readonly value: string; readonly version: string } | undefined>;
  /** False: the version is not this one (undefined: there is none), and nothing was written. Rejects if the text may have been written. */
  write(name: string, value: string, version: string | undefined): Promise<boolean>;
}

/**
 * Texts in a folder; a caller that has read the latest version may replace it. Each name is a folder, and each version a file in it with the next number,
 * created once (O_EXCL): that decides which writer was first, without a lock that a process could keep or lose.
 */
export function textFolder(folder: string): TextFolder {
  const home = resolve(folder);
  const place = (name: string) => join(home, encodeURIComponent(name));
  const file = (name: string, version: number) => join(place(name), String(version));

  return {
    read: async (name) => {
      for (let looks = 0; looks < MAX_LOOKS; looks++) {
        const version = Math.max(0, ...(await versions(place(name))));
        if (version === 0) return undefined;
        const found = await readOwnFile(file(name, version), MAX_BYTES);
        if (found.kind === 'bytes')
          return { value: Buffer.from(found.bytes).toString('utf8'), version: String(version) };
        if (found.kind !== 'absent') throw new StoreError(`no file of this store: ${file(name, version)}`);
      }
      throw new StoreError(`${place(name)} changes faster than it can be read`);
    },
    write: async (name, value, version) => {
      await ensureFolder(home);
      await ensureFolder(place(name));
      const before = Number(version ?? 0);
      const own = before + 1;
      if ((await versions(place(name))).some((each) => each > before)) return false;
      if (!(await createFileWhole(file(name, own), Buffer.from(value)))) return false;
      const present = await versions(place(name));
      // If suspended since it looked, this process may have created a number that existed before and was removed.
      if (present.some((each) => each > own + 1))
        throw new StoreError(`${place(name)} was written by others at the same time`);
      // The previous one stays for a moment, so that a number is not free again while another process is about to take it.
      for (const each of present.filter((number) => number < before)) await removeFile(file(name, each));
      return true;
    },
  };
}

async function versions(folder: string): Promise<number[]> {
  try {
    return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
