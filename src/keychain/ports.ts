import { win32 } from 'node:path';
import { findSessionBus } from '../platform/desktop/session-bus.ts';
import { searchPath } from '../platform/desktop/user-environment.ts';
import { type RunTool, runTool } from '../platform/process/run-tool.ts';
import { findProgram } from '../platform/program/find-program.ts';
import { TOOL_LIMIT_MS } from './tool.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a keychain needs of the machine. */
export interface KeychainPorts {
  readonly platform: NodeJS.Platform;
  readonly env: Environment;
  /** The search path for what these programs start. */
  readonly path: string;
  /** The absolute path of a program; undefined where there is none. */
  readonly find: (name: string) => string | undefined;
  readonly run: RunTool;
  /** For each program. */
  readonly limitMs: number;
  /** The address of this user's D-Bus session; undefined where there is none, and on Windows. */
  readonly findBus: () => Promise<string | undefined>;
  /** Where Windows keeps a key that is encrypted for this user. */
  readonly keyFile: KeyFile;
}

/** Small texts in files that only this user can read. May reject with StoreError. */
export interface KeyFile {
  /** Undefined where there is none. */
  read(account: string): Promise<string | undefined>;
  write(account: string, text: string): Promise<void>;
  /** False where there was none. */
  remove(account: string): Promise<boolean>;
}

/** This machine, as a keychain needs it. */
export function keychainPorts(
  keyFile: KeyFile,
  { platform, env }: Pick<NodeJS.Process, 'platform'> & { readonly env: Environment } = process,
): KeychainPorts {
  const path = safePath(platform, env);
  const user = process.getuid?.();
  return {
    platform,
    env,
    path,
    find: (name) => findProgram(name, { platform, env: { PATH: path, PATHEXT: '.EXE' } }),
    run: runTool,
    limitMs: TOOL_LIMIT_MS,
    findBus: async () =>
      user === undefined ? undefined : findSessionBus(env, { user, runtimeFolder: `/run/user/${user}` }),
    keyFile,
  };
}

/** Homebrew's folder is not on the search path of what is started from the Dock. */
const HOMEBREW = '/opt/homebrew/bin';

/** No folder that is not absolute, and none of a project: what is found there would be given the key to all logins. */
function safePath(platform: NodeJS.Platform, env: Environment): string {
  if (platform === 'win32') {
    const folders = (env.PATH ?? env.Path ?? '').split(';');
    return folders
      .filter((folder) => win32.isAbsolute(folder) && !/[\\/]node_modules[\\/]\.bin[\\/]?$/.test(folder))
      .join(';');
  }
  const path = searchPath(env.PATH);
  return platform === 'darwin' ? `${path}:${HOMEBREW}` : path;
}
