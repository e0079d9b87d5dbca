import { readdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { isLiveSocket, isSafeFolder, liveBus, newestOwnFile, ownSockets } from './sockets.ts';
import { isRemoteSession, readUserEnvironment, searchPath } from './user-environment.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The desktop on which a page could be opened. */
export type DesktopSession =
  /** `variables`: variables that a program there needs in addition to the environment of this process. */
  | { readonly kind: 'found'; readonly variables: Readonly<Record<string, string>> }
  | { readonly kind: 'none'; readonly reason: string };

/** Where the sockets of a session are, and other ways to find it. */
export interface SessionPlaces {
  readonly user: number;
  /** `/run/user/UID`, created by logind for this user only. */
  readonly runtimeFolder: string;
  /** `/tmp/.X11-unix`, which all users share. */
  readonly displayFolder: string;
  readonly userEnvironment: typeof readUserEnvironment;
  readonly isRemote: typeof isRemoteSession;
}

/** Undefined if desktops are not found by sockets: Windows, macOS. */
export function sessionPlaces(): SessionPlaces | undefined {
  const user = process.getuid?.();
  if (user === undefined || process.platform === 'darwin') return undefined;
  return {
    user,
    runtimeFolder: `/run/user/${user}`,
    displayFolder: '/tmp/.X11-unix',
    userEnvironment: readUserEnvironment,
    isRemote: isRemoteSession,
  };
}

/** Variables of the session that a program on the desktop needs besides its display. Never a command of ours: see browser.ts. */
const SESSION_VARIABLE =
  /^(XDG_\w+|DESKTOP_SESSION|KDE_FULL_SESSION|KDE_SESSION_VERSION|GNOME_DESKTOP_SESSION_ID|BROWSER|LANG|LANGUAGE|LC_\w+)$/;

/**
 * Finds this user's desktop if the environment does not name it: many hosts pass on only a few variables, and none for the display. The result is used only if
 * it belongs to this user, and goes into an environment, never into a command. Never rejects.
 */
export async function findDesktopSession(env: Environment, places: SessionPlaces): Promise<DesktopSession> {
  const { user, runtimeFolder, userEnvironment } = places;
  const isNamed = Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
  if (isNamed && env.XAUTHORITY && env.DBUS_SESSION_BUS_ADDRESS && env.XDG_RUNTIME_DIR) return found({});
  if (!isNamed && (await isOverSsh(env, places))) {
    return { kind: 'none', reason: 'this is a session over SSH, and its desktop is elsewhere' };
  }
  const runtime = (await isSafeFolder(runtimeFolder, user)) ? runtimeFolder : undefined;
  const known = await userEnvironment(env, runtime);
  if (isNamed) {
    if (isSameDisplay(env, known)) return found(await around(env, known, runtime, user));
    const XAUTHORITY = known.DISPLAY ? undefined : await authority(env, {}, runtime, user);
    return found(XAUTHORITY === undefined || env.XAUTHORITY ? {} : { XAUTHORITY });
  }
  const display = await findDisplay(known, runtime, places);
  if (display === undefined) return { kind: 'none', reason: 'there is no desktop to open a browser on' };
  const isWayland = display.WAYLAND_DISPLAY !== undefined;
  const more = await around({ ...env, ...display }, known, runtime, user);
  return found({ XDG_SESSION_TYPE: isWayland ? 'wayland' : 'x11', ...more, ...display });
}

function found(variables: Readonly<Record<string, string>>): DesktopSession {
  return { kind: 'found', variables };
}

/** Over SSH, a desktop of the same user may exist with nobody in front of it. A user with a display (X11 forwarding) has it in the environment. */
async function isOverSsh(env: Environment, { isRemote }: SessionPlaces): Promise<boolean> {
  return Boolean(env.SSH_CONNECTION || env.SSH_CLIENT || env.SSH_TTY) || isRemote(env);
}

/**
 * The display known to systemd, else one shown by this user's sockets. For root that may be another user's X server, which runs as root: it refuses a browser
 * without its key, and the address is shown.
 */
async function findDisplay(
  known: Environment,
  runtime: string | undefined,
  { user, displayFolder }: SessionPlaces,
): Promise<{ readonly WAYLAND_DISPLAY?: string; readonly DISPLAY?: string } | undefined> {
  const WAYLAND_DISPLAY =
    (await knownWayland(known.WAYLAND_DISPLAY, runtime, user)) ??
    (runtime && (await ownSockets(runtime, /^wayland-\d{1,5}$/, user))[0]);
  const DISPLAY =
    (await knownDisplay(known.DISPLAY, user, displayFolder)) ??
    (await ownSockets(displayFolder, /^X\d{1,5}$/, user)).map((name) => name.replace('X', ':'))[0];
  if (!WAYLAND_DISPLAY && !DISPLAY) return undefined;
  return { ...(WAYLAND_DISPLAY ? { WAYLAND_DISPLAY } : {}), ...(DISPLAY ? { DISPLAY } : {}) };
}

/** systemd keeps the variables of a desktop that has ended, so its socket has to exist. */
async function knownWayland(name: string | undefined, runtime: string | undefined, user: number) {
  if (!name || (runtime === undefined && !isAbsolute(name))) return undefined;
  const path = isAbsolute(name) ? name : join(runtime ?? '', name);
  return (await isLiveSocket(path, [user])) ? name : undefined;
}

/** Only a display of this machine (`:0`). If systemd names it, its server may run as root. */
async function knownDisplay(name: string | undefined, user: number, folder: string) {
  const [, number] = /^:(\d{1,5})(?:\.\d{1,3})?$/.exec(name ?? '') ?? [];
  if (number === undefined || !(await isSafeFolder(folder, user))) return undefined;
  return (await isLiveSocket(join(folder, `X${number}`), [user, 0])) ? name : undefined;
}

/** Variables of another display must not be mixed in: a browser finds its running copy by the D-Bus, and the page would open there. */
function isSameDisplay(env: Environment, known: Environment): boolean {
  const bare = (display: string | undefined) => display?.replace(/\.0$/, '') || undefined;
  if (env.WAYLAND_DISPLAY) return env.WAYLAND_DISPLAY === known.WAYLAND_DISPLAY;
  return bare(env.DISPLAY) === bare(known.DISPLAY);
}

/** The rest of the session, if it is not set here: its bus, the key to its display, its language and its settings. */
async function around(
  env: Environment,
  known: Environment,
  runtime: string | undefined,
  user: number,
): Promise<Record<string, string>> {
  const names = Object.keys(known).filter((name) => SESSION_VARIABLE.test(name));
  const bus = known.DBUS_SESSION_BUS_ADDRESS ?? (runtime && (await liveBus(runtime, user)));
  const wanted: Environment = {
    ...Object.fromEntries(names.map((name) => [name, known[name]])),
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: /^unix:[\x21-\x7e]+$/.test(bus ?? '') ? bus : undefined,
    XAUTHORITY: await authority(env, known, runtime, user),
  };
  const missing = Object.entries(wanted).filter(([name, value]) => value && !env[name]);
  const own = env.PATH?.split(':') ?? [];
  const more = known.PATH?.split(':').filter((folder) => isAbsolute(folder) && !own.includes(folder)) ?? [];
  return {
    ...(Object.fromEntries(missing) as Record<string, string>),
    PATH: searchPath([...own, ...more].join(':')),
  };
}

/** The file with the key to an X display: the one known to systemd, else `~/.Xauthority`, else the one written by GDM, Mutter or SDDM. */
async function authority(env: Environment, known: Environment, runtime: string | undefined, user: number) {
  if (!env.DISPLAY) return undefined;
  const { XAUTHORITY } = known;
  if (XAUTHORITY !== undefined && isAbsolute(XAUTHORITY)) return newestOwnFile([XAUTHORITY], user);
  // Xlib looks there by default.
  if (env.HOME && (await newestOwnFile([join(env.HOME, '.Xauthority')], user)) !== undefined)
    return undefined;
  if (runtime === undefined) return undefined;
  const names = await readdir(runtime).catch(() => []);
  const keys = names.filter((name) => /^(\.mutter-Xwaylandauth\.\w+|xauth_\w+)$/.test(name));
  return newestOwnFile(
    [join('gdm', 'Xauthority'), ...keys].map((name) => join(runtime, name)),
    user,
  );
}
