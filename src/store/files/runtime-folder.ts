import { createHash } from 'node:crypto';
import { access, constants, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureFolder, isOpenToOthers } from './atomic-file.ts';
import { StoreInsecureError, systemCode } from './store-errors.ts';

/**
 * Where processes of one user meet if the home is not writable: until the machine restarts, and for this home only. Undefined: nowhere. All processes have to
 * find the same place, so it does not depend on the environment if the system has a fixed one. Its name is predictable, so another user may have created it: a
 * folder that is not ours, or is a link, is skipped.
 */
export async function findRuntimeFolder(
  home: string,
  parents: readonly string[] = runtimeParents(),
): Promise<string | undefined> {
  const path = await realpath(home).catch(() => home);
  for (const parent of parents) {
    const [folder, own] = namesIn(parent, path);
    try {
      if (!(await isSafeParent(parent))) continue;
      await ensureFolder(folder);
      await ensureFolder(own);
      await access(own, constants.W_OK | constants.X_OK);
      return own;
    } catch (error) {
      if (systemCode(error) === undefined && !(error instanceof StoreInsecureError)) throw error;
    }
  }
  return undefined;
}

function namesIn(parent: string, home: string): readonly [folder: string, own: string] {
  const user = process.getuid?.();
  const folder = join(parent, user === undefined ? 'mcp-drawbridge' : `mcp-drawbridge-${user}`);
  return [folder, join(folder, createHash('sha256').update(home).digest('hex').slice(0, 32))];
}

/** `/dev/shm` exists from boot to shutdown, `/run/user` only while someone is logged in; both are in memory, not on a disk. */
function runtimeParents(): readonly string[] {
  const user = process.getuid?.();
  if (process.platform !== 'linux' || user === undefined) return [tmpdir()];
  return ['/dev/shm', `/run/user/${user}`, tmpdir()];
}

/** Only we and root may rename files that we create in it. */
async function isSafeParent(path: string): Promise<boolean> {
  const stats = await stat(path);
  const user = process.getuid?.();
  if (!stats.isDirectory()) return false;
  return user === undefined || ((stats.uid === user || stats.uid === 0) && !isOpenToOthers(stats.mode));
}
