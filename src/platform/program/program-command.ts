import { readFileSync, realpathSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import { certificateFlags } from '../process/certificate-flags.ts';
import { shellCommand } from './shell-words.ts';

/** The facts that show how this program was started. */
export interface ProgramStart {
  /** `process.argv[1]`: the script as passed to Node, absolute. */
  readonly script: string;
  readonly execPath: string;
  /** Node's own flags, which precede the script. */
  readonly execArgv: readonly string[];
  readonly searchPath: string;
  readonly platform: NodeJS.Platform;
  /** Electron's Node, which a terminal cannot start. */
  readonly isElectron: boolean;
  /** Undefined if there is no such file. */
  readonly readFile: (path: string) => string | undefined;
  /** The path without links; undefined if it does not exist. */
  readonly realPath: (path: string) => string | undefined;
}

const NAME = 'mcp-drawbridge';

/** The package that npx was asked for, if it is ours by name: `mcp-drawbridge`, `mcp-drawbridge@1.2.0`, `mcp-drawbridge@next`. */
const OUR_SPEC = /^mcp-drawbridge(@[\w.^~+-]{1,64})?$/;

/**
 * The words that start this program in a terminal, without arguments: `npx -y mcp-drawbridge` if npx started it, `mcp-drawbridge` if that name leads to this
 * file, else Node and the script by their absolute paths.
 */
export function programCommand(start: ProgramStart): readonly string[] {
  const { script, execPath, execArgv, isElectron } = start;
  return (
    packageRunner(start) ??
    (isOnPath(start) ? [NAME] : undefined) ??
    (isElectron ? ['npx', '-y', NAME] : [execPath, ...certificateFlags(execArgv), script])
  );
}

/** The program that fetched this package to run it once, by the folder that it puts packages in. */
function packageRunner({ script, readFile }: ProgramStart): readonly string[] | undefined {
  const path = script.replaceAll('\\', '/');
  const npx = /^(.*\/_npx\/[^/]+)\/node_modules\//.exec(path)?.[1];
  if (npx !== undefined) {
    const spec = npxSpec(readFile(`${npx}/package.json`));
    return spec === undefined ? undefined : ['npx', '-y', spec];
  }
  const bunx = /\/bunx-\d+-mcp-drawbridge(@[\w.^~+-]{1,64})?\/node_modules\//.exec(path);
  if (bunx !== null) return ['bunx', `${NAME}${bunx[1] === '@latest' ? '' : (bunx[1] ?? '')}`];
  if (/\/pnpm\/(store\/[^/]+\/tmp\/)?dlx[-/].*\/node_modules\//.test(path)) return ['pnpm', 'dlx', NAME];
  if (/\/xfs-[^/]+\/dlx-[^/]+\//.test(path)) return ['yarn', 'dlx', NAME];
  return undefined;
}

/** npm records the requested package in the folder's package.json. A file or a repository is left out: npx would ask about it again. */
function npxSpec(text: string | undefined): string | undefined {
  try {
    const { _npx: asked } = JSON.parse(text ?? '') as { _npx?: { packages?: unknown } };
    const packages: unknown[] = Array.isArray(asked?.packages) ? asked.packages : [];
    return packages.find((each): each is string => typeof each === 'string' && OUR_SPEC.test(each));
  } catch {
    return undefined;
  }
}

/** Whether the name leads to this file. Folders that only npm and similar runners put on the path are not on a terminal's path. */
function isOnPath({ script, searchPath, platform, realPath }: ProgramStart): boolean {
  const isWindows = platform === 'win32';
  const { join, isAbsolute, relative } = isWindows ? win32 : posix;
  const own = realPath(script);
  return searchPath
    .split(isWindows ? ';' : ':')
    .filter((folder) => isAbsolute(folder) && !/node_modules[\\/]\.bin[\\/]?$/.test(folder))
    .some((folder) => {
      if (!isWindows) return own !== undefined && realPath(join(folder, NAME)) === own;
      // npm's launcher is a file next to the folder of global packages.
      const inside = relative(join(folder, 'node_modules', NAME), script);
      const isInside = !inside.startsWith('..') && !isAbsolute(inside);
      return isInside && realPath(join(folder, `${NAME}.cmd`)) !== undefined;
    });
}

let programFile = process.argv[1] ?? '';

/** For the library, which another program runs: the first file of this one. */
export function setProgramFile(path: string): void {
  programFile = path;
}

/** The words that start the running program in a terminal. */
export function runningProgram(): readonly string[] {
  const { execPath, execArgv, env, platform, versions } = process;
  return programCommand({
    script: programFile,
    execPath,
    execArgv,
    searchPath: env.PATH ?? env.Path ?? '',
    platform,
    isElectron: versions.electron !== undefined,
    readFile: (path) => orUndefined(() => readFileSync(path, 'utf8')),
    realPath: (path) => orUndefined(() => realpathSync(path)),
  });
}

/** A command of this program that can be copied into a terminal: `ownCommand('presets')` is `npx -y mcp-drawbridge presets` after npx. */
export function ownCommand(...words: readonly string[]): string {
  return shellCommand([...runningProgram(), ...words], process.platform);
}

function orUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
