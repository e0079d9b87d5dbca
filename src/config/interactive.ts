import { UsageError } from '../errors.ts';
import type { Environment } from './sources/environment.ts';

/** Why nobody can sign in here: the user said so, or this is a build machine. */
export type NonInteractiveReason = 'asked' | 'ci';

/** The settings that decide whether a person can sign in here. */
export interface InteractiveSettings {
  readonly interactive?: boolean | undefined;
  readonly 'non-interactive'?: boolean | undefined;
}

/**
 * Why nobody can sign in here; undefined if a person can be asked. The lack of a display says nothing: many hosts keep its variables from what they
 * start. Throws UsageError for contradicting options.
 */
export function nonInteractiveReason(
  settings: InteractiveSettings,
  environment: Environment,
): NonInteractiveReason | undefined {
  const { interactive, 'non-interactive': nonInteractive } = settings;
  if (interactive && nonInteractive) {
    throw new UsageError('--interactive and --non-interactive exclude each other');
  }
  if (interactive || nonInteractive === false) return undefined;
  if (nonInteractive || interactive === false) return 'asked';
  const { CI } = environment;
  return CI && CI !== 'false' && CI !== '0' ? 'ci' : undefined;
}
