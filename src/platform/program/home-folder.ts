import { userInfo } from 'node:os';
import { posix } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * HOME as it has to be: an absolute path. A host may leave it out or empty, and what is in it would then be looked for in the current folder. Instead
 * it is what the system says of this user, else `/`, as Docker has it for a user that the system does not know. Undefined: it needs no change
 * (on Windows Node does not read it).
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
