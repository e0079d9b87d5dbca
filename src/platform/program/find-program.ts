import { accessSync, constants, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';

/** Where to look for programs: `PATH`, and on Windows `PATHEXT`. */
export interface SearchPath {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The absolute path of a program on the path; undefined if there is none. Relative folders are not searched. */
export function findProgram(
  name: string,
  { platform, env }: SearchPath,
  isProgram: (path: string) => boolean = isExecutable,
): string | undefined {
  const isWindows = platform === 'win32';
  const { join, isAbsolute } = isWindows ? win32 : posix;
  const endings = isWindows ? (env.PATHEXT ?? '.COM;.EXE;.BAT;.CMD').split(';') : [''];
  return (env.PATH ?? env.Path ?? '')
    .split(isWindows ? ';' : ':')
    .filter((folder) => isAbsolute(folder))
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending.toLowerCase())))
    .find(isProgram);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether there is a file at this path. */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
