import { posix, win32 } from 'node:path';

/** The place where a host looks: the system and its environment. Paths depend only on this, so that a test can use any system. */
export interface Place {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** Joins the parts of a path as `platform` does. */
export function joined({ platform }: Pick<Place, 'platform'>, ...parts: readonly string[]): string {
  return (platform === 'win32' ? win32 : posix).join(...parts);
}

/** A path below the home folder. */
export function inHome(place: Place, ...parts: readonly string[]): string {
  return joined(place, place.home, ...parts);
}

/** A path below `$NAME`, or below `otherwise` if the variable is not set. */
export function inVariable(
  place: Place,
  name: string,
  otherwise: string,
  ...parts: readonly string[]
): string {
  return joined(place, place.env[name] || otherwise, ...parts);
}

/** A path below `$XDG_CONFIG_HOME`, by default `~/.config` (XDG Base Directory Specification), for programs that use it on every system. */
export function inXdgConfig(place: Place, ...parts: readonly string[]): string {
  return inVariable(place, 'XDG_CONFIG_HOME', inHome(place, '.config'), ...parts);
}

/** A path below `%APPDATA%`. */
export function inAppData(place: Place, ...parts: readonly string[]): string {
  return inVariable(place, 'APPDATA', inHome(place, 'AppData', 'Roaming'), ...parts);
}

/** A path below `%LOCALAPPDATA%`. */
export function inLocalAppData(place: Place, ...parts: readonly string[]): string {
  return inVariable(place, 'LOCALAPPDATA', inHome(place, 'AppData', 'Local'), ...parts);
}

/** A path in the folder where Electron stores an application's data. */
export function inElectronData(place: Place, ...parts: readonly string[]): string {
  switch (place.platform) {
    case 'darwin':
      return inHome(place, 'Library', 'Application Support', ...parts);
    case 'win32':
      return inAppData(place, ...parts);
    default:
      return inXdgConfig(place, ...parts);
  }
}
