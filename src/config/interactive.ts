import { UsageError } from '../errors.ts';
import type { Environment } from './sources/environment.ts';

/** Why nobody can be asked: they said so, a build machine, or no screen to open a browser on. */
export type NonInteractiveReason = 'asked' | 'ci' | 'no-display';

export interface InteractiveSettings {
  readonly interactive?: boolean | undefined;
  readonly 'non-interactive'?: boolean | undefined;
  readonly 'no-browser'?: boolean | undefined;
  readonly grant?: string | undefined;
}

/** Undefined: a person can be asked to sign in. */
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
  // WSL has no display of its own, and opens the browser of the Windows around it.
  const isWsl = Boolean(environment.WSL_DISTRO_NAME || environment.WSL_INTEROP);
  const canOpen = platform !== 'linux' || isWsl || Boolean(BROWSER || DISPLAY || WAYLAND_DISPLAY);
  // Who says that no browser is to be opened has another one at hand; RFC 8628 is made for machines without one.
  const needsNone = settings['no-browser'] === true || settings.grant === 'device_code';
  return canOpen || needsNone ? undefined : 'no-display';
}
