import { win32 } from 'node:path';
import { findSessionBus } from '../platform/desktop/session-bus.ts';
import { searchPath } from '../platform/desktop/user-environment.ts';
import { type RunTool, runTool } from '../platform/process/run-tool.ts';
import { findProgram } from '../platform/program/find-program.ts';
import { TOOL_LIMIT_MS } from './tool.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The parts of the machine that a keychain needs. */
export interface KeychainPorts {
  readonly platform: NodeJS.Platform;
  readonly env: Environment;
  /** The search path for programs that these start. */
  readonly path: string;
  /** The absolute path of a program; undefined if there is none. */
  readonly find: (name: string) => string | undefined;
  readonly run: RunTool;
  /** The time limit for each program. */
  readonly limitMs: number;
  /** The address of this user's D-Bus session; undefined if there is none, and on Windows. */
  readonly findBus: () => Promise<string | undefined>;
  /** Where a key encrypted for this user is stored on Windows. */
  readonly keyFile: KeyFile;
}

/** Small texts in files that only this user can read. May reject with StoreError. */
export interface KeyFile {
  /** Undefined if there is none. */
  read(account: string): Promise<string | undefined>;
  write(account: string, text: string): Promise<void>;
  /** False if there was none. */
  remove(account: string): Promise<boolean>;
}

/** This machine, as seen by a keychain. */
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

/** Homebrew's folder is not on the search path of programs started from the Dock. */
const HOMEBREW = '/opt/homebrew/bin';

/** No relative folder, and none of a project: a program found there would get the key to all logins. */
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
