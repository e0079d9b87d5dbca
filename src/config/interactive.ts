import { UsageError } from '../errors.ts';
import type { Environment } from './sources/environment.ts';

/** Why no sign-in is possible here: the user's option, a build machine, or one of many machines that share a login. */
export type NonInteractiveReason = 'asked' | 'ci' | 'shared-store';

/** The settings that decide whether a person can sign in here. */
export interface InteractiveSettings {
  readonly interactive?: boolean | undefined;
  readonly 'non-interactive'?: boolean | undefined;
}

/**
 * Why no sign-in is possible here; undefined if one is. A missing display proves nothing: many hosts withhold its variables. `isShared`: many machines share
 * the login, and a page could appear on any of them. Throws UsageError for contradicting options.
 */
export function nonInteractiveReason(
  settings: InteractiveSettings,
  environment: Environment,
  isShared = false,
): NonInteractiveReason | undefined {
  const { interactive, 'non-interactive': nonInteractive } = settings;
  if (interactive && nonInteractive) {
    throw new UsageError('--interactive and --non-interactive exclude each other');
  }
  if (interactive || nonInteractive === false) return undefined;
  if (nonInteractive || interactive === false) return 'asked';
  const { CI } = environment;
  if (CI && CI !== 'false' && CI !== '0') return 'ci';
  return isShared ? 'shared-store' : undefined;
}
