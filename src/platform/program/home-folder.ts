import { userInfo } from 'node:os';
import { posix } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A valid HOME: an absolute path. A host may omit it or leave it empty, and the files in it would then be looked for in the current folder. Then it is the
 * system's entry for this user, else `/`, as Docker sets it for a user unknown to the system. Undefined: it needs no change (on Windows Node does not read it).
 */
export function missingHome(
  env: Environment,
  platform: NodeJS.Platform,
  folderOfUser: () => string = () => userInfo().homedir,
): string | undefined {
  if (platform === 'win32' || posix.isAbsolute(env.HOME ?? '')) return undefined;
  try {
    const folder = folderOfUser();
    return posix.isAbsolute(folder) ? folder : '/';
  } catch {
    return '/';
  }
}
