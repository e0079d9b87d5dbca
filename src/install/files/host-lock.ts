import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import lockfile from 'proper-lockfile';
import { describeError } from '../../errors.ts';
import { HostFileError } from './host-file.ts';

/** Longer than a host holds it for one change, and longer than a lock takes to go stale. */
const RETRIES = { retries: 60, factor: 1, minTimeout: 250 };

/**
 * Runs `run` while holding the host's lock on its file: the folder FILE.lock, which counts as abandoned if it was not touched for `staleMs`. `run` gets the
 * first folder that had to be created for it. Rejects with HostFileError if the host holds it for too long.
 */
export async function withHostLock<T>(
  path: string,
  staleMs: number | undefined,
  run: (folder: string | undefined) => Promise<T>,
): Promise<T> {
  if (staleMs === undefined) return run(undefined);
  let folder: string | undefined;
  let release: () => Promise<void>;
  try {
    folder = await mkdir(dirname(path), { recursive: true });
    release = await lockfile.lock(path, { realpath: false, stale: staleMs, retries: RETRIES });
  } catch (error) {
    throw new HostFileError(`the host holds the lock of ${path}: ${describeError(error)}`, {
      hint: `End the host, or remove ${path}.lock if none is running.`,
    });
  }
  try {
    return await run(folder);
  } finally {
    await release().catch(() => undefined);
  }
}
