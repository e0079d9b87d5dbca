import type { Config } from '../../config/config.ts';
import type { Environment } from '../../config/sources/environment.ts';
import { runningProgram } from '../../platform/program/program-command.ts';
import { shellCommand } from '../../platform/program/shell-words.ts';
import { otherStore, type StorePaths, storePaths } from '../../store/files/paths.ts';

/** Where the command will be typed. */
interface Terminal {
  readonly platform: NodeJS.Platform;
  /** The words that start this program. */
  readonly program: readonly string[];
  /** The folder that the command has to name to use the same logins; undefined if it finds it by itself. */
  readonly home: string | undefined;
}

/** How the user can sign in for a process that cannot start a sign-in: a command that signs in to the same credential. */
export function signInHint(
  config: Pick<Config, 'loginCommand' | 'store' | 'home'>,
  terminal: Partial<Terminal> = {},
): string {
  const { platform = process.platform, program = runningProgram() } = terminal;
  const { loginCommand, store } = config;
  if (store.kind === 'memory') {
    return 'With --store memory, processes do not share a login: provide one in MCP_DRAWBRIDGE_CREDENTIALS.';
  }
  const { words, notes } = loginCommand;
  const home =
    store.kind === 'shared'
      ? undefined
      : 'home' in terminal
        ? terminal.home
        : homeForTerminal(storePaths(config.home), process.env, platform);
  const all = [...program, 'login', ...words, ...(home === undefined ? [] : ['--home', home])];
  const how = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  return `Run${how}: ${shellCommand(all, platform)}`;
}

/**
 * The folder to name with `--home`, if a terminal may use another one than this process. A configured folder is among the words of the command already. On
 * Linux a session has XDG variables: if none is set here, a host has withheld them, and XDG_DATA_HOME may be among them.
 */
export function homeForTerminal(
  { home, because }: Pick<StorePaths, 'home' | 'because'>,
  env: Environment,
  platform: NodeJS.Platform,
): string | undefined {
  if (because === 'option') return undefined;
  if (because !== 'usual') return home;
  const isWhole =
    platform === 'darwin' || platform === 'win32' || Object.keys(env).some((name) => name.startsWith('XDG_'));
  return isWhole ? undefined : home;
}

/** What a person has to know if there are two stores: logins that this process does not use. Undefined: there are none. */
export function otherStoreNote(home: string | undefined): string | undefined {
  const paths = storePaths(home);
  const other = otherStore(paths);
  if (other === undefined) return undefined;
  const why = paths.because === 'xdg' ? 'get no XDG_DATA_HOME' : 'get XDG_DATA_HOME';
  return `There are logins in two folders: this program uses ${paths.home}, and programs that ${why} use ${other}. --home names the folder to use.`;
}

/**
 * Possible problems with the environment that the host passes on, in lines for a person. Takes up to a second, so it is for when the server is unavailable or a
 * sign-in is needed. Never rejects.
 */
export async function environmentNotes(
  home: string | undefined,
  env: Environment,
): Promise<readonly string[]> {
  const { findWithheldSettings, withheldNote } = await import('../../platform/program/withheld-settings.ts');
  const { because } = storePaths(home);
  // A known folder decides, whatever these variables say.
  const settled =
    because === 'usual' ? [] : ['XDG_DATA_HOME', ...(because === 'option' ? ['MCP_DRAWBRIDGE_HOME'] : [])];
  const withheld = (await findWithheldSettings(env)).filter(({ name }) => !settled.includes(name));
  return [withheldNote(withheld), otherStoreNote(home)].filter((note) => note !== undefined);
}
