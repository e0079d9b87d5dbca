import { isProgramSetting } from '../../platform/program/program-settings.ts';
import type { Host } from '../hosts/host.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that a program needs to open a browser on a Linux desktop. */
const DISPLAY = [
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'DBUS_SESSION_BUS_ADDRESS',
  'XDG_RUNTIME_DIR',
  'BROWSER',
];
/** Whether a variable describes this machine: its display, its proxies, its certificates. */
export function isMachineVariable(name: string): boolean {
  return DISPLAY.includes(name) || (isProgramSetting(name) && !IN_ARGUMENTS.test(name));
}

/** The place of the logins is an argument, and so are the options of this shell. */
const IN_ARGUMENTS = /^(MCP_DRAWBRIDGE_|XDG_DATA_HOME$)/i;
/** Names that Gemini CLI withholds from the commands it starts (environmentSanitization.ts). */
const SUSPICIOUS = /TOKEN|SECRET|PASSWORD|PASSWD|KEY|AUTH|CREDENTIAL|CREDS|PRIVATE|CERT/i;

/** The environment of an entry. */
export interface EntryEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Names that the host passes on from its own environment. */
  readonly variables: readonly string[];
  /** What a person has to know. */
  readonly notes: readonly string[];
}

/**
 * The variables that this machine needs and the host would withhold: proxies, certificates, the display, and those named by options (`named`). A value that may
 * be a secret is never copied into a file.
 */
export function entryEnvironment(
  passes: Host['passes'],
  shell: Environment,
  named: readonly string[],
  platform: NodeJS.Platform,
): EntryEnvironment {
  const settings = Object.keys(shell)
    .filter((name) => shell[name] && isProgramSetting(name) && !IN_ARGUMENTS.test(name))
    .sort();
  const display = platform === 'linux' ? DISPLAY : [];
  switch (passes) {
    case 'all':
      return { env: {}, variables: [], notes: [] };
    case 'listed':
      return { env: {}, variables: [...display, ...settings, ...named], notes: [] };
    case 'unsuspicious': {
      const kept = [...settings, ...display].filter((name) => shell[name] && SUSPICIOUS.test(name));
      // The host replaces `$NAME` with its own variable.
      const own = named.filter((name) => SUSPICIOUS.test(name));
      return {
        env: Object.fromEntries([...kept, ...own].map((name) => [name, `$${name}`])),
        variables: [],
        notes: [],
      };
    }
    case 'desktop': {
      const copied = settings.filter((name) => !hasPassword(shell[name] ?? ''));
      const left = settings.filter((name) => !copied.includes(name));
      return {
        env: Object.fromEntries(copied.map((name) => [name, shell[name] ?? ''])),
        variables: [],
        notes: [
          ...left.map(
            (name) =>
              `${name} holds a password and is not written into a file: set it for the whole desktop session`,
          ),
          ...named.map(
            (name) => `${name} has to be set where the host is started: for the whole desktop session`,
          ),
        ],
      };
    }
  }
}

function hasPassword(value: string): boolean {
  return URL.canParse(value) && new URL(value).password !== '';
}
