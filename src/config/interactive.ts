import { UsageError } from '../errors.ts';
import type { Environment } from './sources/environment.ts';

/** Why nobody can sign in here: the user said so, this is a build machine, or there is no display to open a browser on. */
export type NonInteractiveReason = 'asked' | 'ci' | 'no-display';

/** The settings that decide whether a person can sign in here. */
export interface InteractiveSettings {
  readonly interactive?: boolean | undefined;
  readonly 'non-interactive'?: boolean | undefined;
  readonly 'no-browser'?: boolean | undefined;
  readonly grant?: string | undefined;
}

/** Why nobody can sign in here; undefined if a person can be asked. Throws UsageError for contradicting options. */
export function nonInteractiveReason(
  settings: InteractiveSettings,
  environment: Environment,
  platform: NodeJS.Platform,
): NonInteractiveReason | undefined {
  const { interactive, 'non-interactive': nonInteractive } = settings;
  if (interactive && nonInteractive) {
    throw new UsageError('--interactive and --non-interactive exclude each other');
  }
  if (interactive || nonInteractive === false) return undefined;
  if (nonInteractive || interactive === false) return 'asked';
  const { CI, BROWSER, DISPLAY, WAYLAND_DISPLAY } = environment;
  if (CI && CI !== 'false' && CI !== '0') return 'ci';
  // WSL may have no display, but can open the browser of Windows.
  const isWsl = Boolean(environment.WSL_DISTRO_NAME || environment.WSL_INTEROP);
  const canOpen = platform !== 'linux' || isWsl || Boolean(BROWSER || DISPLAY || WAYLAND_DISPLAY);
  // With --no-browser the user has another browser at hand, and the device grant (RFC 8628) is made for machines without one.
  const needsNone = settings['no-browser'] === true || settings.grant === 'device_code';
  return canOpen || needsNone ? undefined : 'no-display';
}
