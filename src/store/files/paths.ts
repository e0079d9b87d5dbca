import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { holdsLogins, readPointer } from './pointer.ts';

/** Where the store is. */
export interface StorePaths {
  readonly home: string;
  readonly credentials: string;
  readonly servers: string;
  readonly logs: string;
  /**
   * Why it is there. `option`: it was configured. `usual`: the system's place for data. `xdg`: XDG_DATA_HOME names another one. `pointer`: XDG_DATA_HOME does
   * so for other programs of this user, and not for this one.
   */
  readonly because: 'option' | 'usual' | 'xdg' | 'pointer';
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `home`: `--home` or MCP_DRAWBRIDGE_HOME; without it the system's own place for an application's data, where a pointer may lead to another
 * (src/store/README.md). Nothing is created here.
 */
export function storePaths(home: string | undefined, env: Environment = process.env): StorePaths {
  if (home) return pathsIn(resolve(home), 'option');
  const usual = usualHome();
  const named = namedByXdg(env);
  if (named !== undefined && named !== usual) return pathsIn(named, 'xdg');
  const pointer = hasXdg ? readPointer(usual) : undefined;
  return pointer === undefined || holdsLogins(usual) ? pathsIn(usual, 'usual') : pathsIn(pointer, 'pointer');
}

/** Another folder in which programs of this user with another environment store logins that this one does not see. */
export function otherStore({ home, because }: StorePaths): string | undefined {
  const usual = usualHome();
  const other = because === 'xdg' ? usual : because === 'usual' && hasXdg ? readPointer(usual) : undefined;
  return other !== undefined && other !== home && holdsLogins(other) ? other : undefined;
}

const hasXdg = process.platform !== 'win32' && process.platform !== 'darwin';

/** The system's place for data if no variable names another. */
export function usualHome(): string {
  if (hasXdg) return join(homedir(), '.local', 'share', 'mcp-drawbridge');
  return envPaths('mcp-drawbridge', { suffix: '' }).data;
}

/** XDG Base Directory Specification, "Basics": a relative path is invalid and must be ignored. */
function namedByXdg({ XDG_DATA_HOME = '' }: Environment): string | undefined {
  return hasXdg && isAbsolute(XDG_DATA_HOME) ? resolve(XDG_DATA_HOME, 'mcp-drawbridge') : undefined;
}

function pathsIn(home: string, because: StorePaths['because']): StorePaths {
  return {
    home,
    because,
    credentials: join(home, 'credentials'),
    servers: join(home, 'servers'),
    logs: join(home, 'logs'),
  };
}
