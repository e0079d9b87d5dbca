import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** systemd answers within some milliseconds; a hanging one must not delay the page that the person needs. */
const ANSWER_MS = 1_000;
/** A whole environment is some kilobytes. */
const OUTPUT_MAX_BYTES = 256 * 1024;
/** The kernel allows 128 KiB for one variable; the longest one used here is a search path. */
const VALUE_MAX_CHARACTERS = 4_096;

/**
 * The environment that systemd gives to this user's services, to which desktops add theirs (`systemctl --user import-environment`). Empty without systemd.
 * `runtimeFolder`: `/run/user/UID`, where the user's systemd listens; hosts omit its variable.
 */
export async function readUserEnvironment(
  env: Environment,
  runtimeFolder: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR = runtimeFolder } = env;
  const text = await output('systemctl', ['--user', 'show-environment'], {
    ...env,
    DBUS_SESSION_BUS_ADDRESS,
    XDG_RUNTIME_DIR,
  });
  return parseEnvironment(text ?? '');
}

/** Reads `NAME=value` lines; systemd writes a value that a shell would interpret as `$'…'`, with escapes. Other lines are skipped. */
export function parseEnvironment(text: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (const line of text.split('\n')) {
    const [, name, raw = ''] = /^([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
    const value = raw.startsWith("$'") ? unescaped(raw) : raw;
    if (name === undefined || value === undefined) continue;
    if (value.length <= VALUE_MAX_CHARACTERS && !CONTROL_CHARACTER.test(value)) found[name] = value;
  }
  return found;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;

/** Undefined for a value with an escape other than of a quote or a backslash: it contains a control character, which no useful value does. */
function unescaped(quoted: string): string | undefined {
  const [, inside] = /^\$'(.*)'$/.exec(quoted) ?? [];
  let isPlain = inside !== undefined;
  const value = inside?.replace(/\\(.)/g, (_, escaped: string) => {
    isPlain &&= /[^a-z0-9]/i.test(escaped);
    return escaped;
  });
  return isPlain ? value : undefined;
}

/**
 * Whether logind knows this process's session as one from another machine. The control group shows the session, even if the variables of SSH were left out or
 * the processes were started by another that has ended.
 */
export async function isRemoteSession(env: Environment): Promise<boolean> {
  const groups = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const [, session] = /\/session-(\w{1,32})\.scope/.exec(groups) ?? [];
  if (session === undefined) return false;
  const text = await output('loginctl', ['show-session', session, '--property=Remote'], env);
  return text?.trim() === 'Remote=yes';
}

/** The output of the program, within a time and a size; undefined if it fails. Its environment only contains what it needs to find the user's systemd. */
function output(command: string, args: readonly string[], env: Environment): Promise<string | undefined> {
  const { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR, HOME } = env;
  const limits = { timeout: ANSWER_MS, maxBuffer: OUTPUT_MAX_BYTES, killSignal: 'SIGKILL' as const };
  const known = { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR, HOME, PATH: searchPath(env.PATH), LC_ALL: 'C' };
  return new Promise((resolve) => {
    try {
      execFile(command, [...args], { ...limits, env: known }, (error, stdout) =>
        resolve(error ? undefined : stdout),
      );
    } catch {
      // Thrown for a variable with a NUL.
      resolve(undefined);
    }
  });
}

const OF_A_PROJECT = /\/node_modules\/\.bin\/?$/;

/** Folders with programs that every desktop has. */
const STANDARD_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin'];

/**
 * The search path for programs of the system, with missing system folders appended: some hosts pass on none, or a short one. Relative folders are left out, and
 * so is `node_modules/.bin`, which npx puts first: a project that somebody has downloaded must not choose our programs.
 */
export function searchPath(path: string | undefined): string {
  const folders = (path ?? '')
    .split(':')
    .filter((folder) => isAbsolute(folder) && !OF_A_PROJECT.test(folder));
  return [...folders, ...STANDARD_FOLDERS.filter((folder) => !folders.includes(folder))].join(':');
}
