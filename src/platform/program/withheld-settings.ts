import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readUserEnvironment } from '../desktop/user-environment.ts';
import { isProgramSetting, withheldSettings } from './program-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A setting for this program that the person's own environment has and this process lacks. */
export interface WithheldSetting {
  readonly name: string;
  /** Where it is set: `systemd`, or a file (`~/.bashrc`). */
  readonly source: string;
}

/** Files in the home folder that a login shell, PAM or systemd reads. Their variables reach terminals, but not every host. */
const SHELL_FILES = [
  ...['.profile', '.bash_profile', '.bash_login', '.bashrc', '.zshenv', '.zprofile', '.zshrc'],
  '.config/fish/config.fish',
];
const ASSIGNMENT_FILES = ['.pam_environment'];
const ASSIGNMENT_FOLDER = '.config/environment.d';
const SYSTEM_FILE = '/etc/environment';
/** These files have some kilobytes; a larger one is something else. */
const FILE_MAX_BYTES = 256 * 1024;

/**
 * Looks for proxies, certificates and settings of this program that the person has set and this process lacks. It only reads the names and never uses the
 * values: the host may have left them out on purpose. It does not read the environment of the host itself, which may contain secrets that are not for this
 * program. Takes at most a second; for use after a failure or before a sign-in. Never rejects.
 */
export async function findWithheldSettings(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
): Promise<readonly WithheldSetting[]> {
  if (platform === 'win32') return [];
  const home = env.HOME ?? '/';
  const folder = join(home, ASSIGNMENT_FOLDER);
  const more = await readdir(folder).catch(() => []);
  const files = [
    ...SHELL_FILES.map((name) => ({ path: join(home, name), isShell: true })),
    ...ASSIGNMENT_FILES.map((name) => ({ path: join(home, name), isShell: false })),
    ...more
      .filter((name) => name.endsWith('.conf'))
      .map((name) => ({ path: join(folder, name), isShell: false })),
    { path: SYSTEM_FILE, isShell: false },
  ];
  const user = process.getuid?.();
  const runtime = platform === 'linux' && user !== undefined ? `/run/user/${user}` : undefined;
  const [known, ...texts] = await Promise.all([
    runtime === undefined ? {} : readUserEnvironment(env, runtime),
    ...files.map(({ path }) => readOwn(path, user)),
  ]);
  const sources: readonly (readonly [source: string, names: Environment])[] = [
    ...files.map(({ path, isShell }, at): [string, Environment] => [
      path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path,
      assignments(texts[at] ?? '', isShell),
    ]),
    ['systemd', known],
  ];
  const found = new Map<string, WithheldSetting>();
  for (const [source, there] of sources) {
    for (const name of withheldSettings(env, there)) {
      if (!found.has(name.toUpperCase())) found.set(name.toUpperCase(), { name, source });
    }
  }
  return [...found.values()];
}

/**
 * The settings for this program in a file, by name. Of a shell's file only exported ones; the value is its text, unexpanded. A folder for data that is the
 * usual one is left out.
 */
export function assignments(text: string, isShell: boolean): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (const line of text.split('\n')) {
    for (const [name, value] of isShell ? exported(line) : assigned(line)) {
      const isUsual = name === 'XDG_DATA_HOME' && value.endsWith('/.local/share');
      if (isProgramSetting(name) && value !== '' && !isUsual) found[name] = value;
    }
  }
  return found;
}

function assigned(line: string): [string, string][] {
  const [, name = '', value = ''] = /^\s*([A-Za-z_]\w*)(?:\s+DEFAULT)?=(.*)$/.exec(line) ?? [];
  return [[name, unquoted(value.trim())]];
}

/** `export A=1 B`, `declare -x A=1`, `set -gx A 1` (fish), `setenv A 1` (csh). A name without a value was given one before. */
function exported(line: string): [string, string][] {
  const [, fishName, fishValue = ''] =
    /^\s*(?:set\s+-\w*x\w*|set\s+-gx|setenv)\s+([A-Za-z_]\w*)\s+(.+)$/.exec(line) ?? [];
  if (fishName !== undefined) return [[fishName, unquoted(fishValue.trim())]];
  const [, rest] = /^\s*(?:export|declare\s+-x|typeset\s+-x)\s+([^;#]*)/.exec(line) ?? [];
  const words = (rest ?? '').matchAll(/(?:^|\s)([A-Za-z_]\w*)(?:=("[^"]*"|'[^']*'|\S*))?(?=\s|$)/g);
  return Array.from(words, ([, name = '', value]) => [name, value === undefined ? name : unquoted(value)]);
}

const unquoted = (value: string): string => value.replace(/^(["'])(.*)\1$/, '$2');

/** A file of this user or of root; '' if there is none. A named pipe in its place does not block. */
async function readOwn(path: string, user: number | undefined): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > FILE_MAX_BYTES || (stats.uid !== user && stats.uid !== 0)) return '';
    return await file.readFile('utf8');
  } catch {
    return '';
  } finally {
    await file?.close();
  }
}

/** One line for a person; undefined if nothing is missing. */
export function withheldNote(settings: readonly WithheldSetting[]): string | undefined {
  if (settings.length === 0) return undefined;
  const names = settings.map(({ name, source }) => `${name} (${source})`).join(', ');
  return `Not passed on by the program that started this one: ${names}. If this server needs it, add it to "env" in the host's configuration.`;
}
