import { certificateOptions } from './certificate-flags.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a desktop program needs to find the user's session, and nothing that may contain a secret (.github/SECURITY.md, attack 4). */
const DESKTOP = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'BROWSER',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'DBUS_SESSION_BUS_ADDRESS',
  'DESKTOP_SESSION',
  'KDE_FULL_SESSION',
  'KDE_SESSION_VERSION',
  'GNOME_DESKTOP_SESSION_ID',
  '__CF_USER_TEXT_ENCODING',
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'USERPROFILE',
  'USERNAME',
  'HOMEDRIVE',
  'HOMEPATH',
  'PROGRAMFILES',
  'PROGRAMFILES(X86)',
  'PATHEXT',
  'COMSPEC',
  'TEMP',
  'TMP',
];
const DESKTOP_PREFIX = /^(LC|XDG|WSL)_/;

/** What our sign-in process also needs to reach the servers. Not for other programs, since a proxy's address may contain a password. */
const NETWORK = [
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'MCP_DRAWBRIDGE_HOME',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
];

/** Whether the person is at another machine: then no page is opened on a desktop of this one. */
const SSH = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'];

/** The environment for a program on the desktop, such as a browser. Names are compared without case, as Windows does. */
export function desktopEnvironment(env: Environment): Record<string, string> {
  return select(env, new Set(DESKTOP));
}

/**
 * The environment for the sign-in process. Of NODE_OPTIONS it keeps only what decides about certificates: a sign-in that does not trust
 * what the bridge trusts would fail.
 */
export function signInEnvironment(env: Environment): Record<string, string> {
  const selected = select(env, new Set([...DESKTOP, ...NETWORK, ...SSH]));
  const options = certificateOptions(env.NODE_OPTIONS ?? '');
  return options === '' ? selected : { ...selected, NODE_OPTIONS: options };
}

function select(env: Environment, names: ReadonlySet<string>): Record<string, string> {
  const selected: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const upper = name.toUpperCase();
    if (value !== undefined && (names.has(upper) || DESKTOP_PREFIX.test(upper))) selected[name] = value;
  }
  return selected;
}
