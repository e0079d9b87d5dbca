import type * as z from 'zod/mini';
import { ConfigError, type DrawbridgeError, type ErrorDetails, UsageError } from '../../errors.ts';

import type { Command } from '../commands/commands.ts';

export type OptionGroup = 'Server' | 'Sign-in' | 'Headless' | 'Commands' | 'Behaviour' | 'Logs' | 'Settings';

/** One option, declared once: flag, environment variable, config file key, help and check all come from here. */
export interface Option {
  readonly group: OptionGroup;
  /** One line of `--help`. */
  readonly help: string;
  /** What stands for the value in `--help`. Without it the option is a switch and its text is `true` or `false`. */
  readonly placeholder?: string;
  /** Other names of the same option, usually mcp-remote's. */
  readonly aliases?: readonly string[];
  /** Values of all sources count together, the ones of the stronger source last. */
  readonly repeatable?: true;
  /** The value can hold a secret: no message shows it. */
  readonly secret?: true;
  /** A path: `~/` is expanded, and in a config file it is relative to that file. */
  readonly path?: true;
  /** Only on the command line and in the environment. */
  readonly notInFile?: true;
  /** Only on the command line. */
  readonly flagOnly?: true;
  /** Only in the environment: a secret, which argv would show to every program on the machine (.github/SECURITY.md, attack 40). */
  readonly environmentOnly?: true;
  /**
   * Given to a sign-in in a terminal as well. `key`: it tells logins apart, so the credential's key has a part for it
   * (store/record/credential-key.ts). `sign-in`: the sign-in needs it, and ends in the same login without it.
   */
  readonly login?: 'key' | 'sign-in';
  /** Only these commands know it. */
  readonly only?: readonly Command[];
  /** From the text that was given to the value; its messages read "expected …". */
  readonly schema: z.ZodMiniType<unknown, string>;
}

/** Where a value came from, as its user would name the place: `--scope`, `MCP_DRAWBRIDGE_SCOPE`, `scope in FILE`. */
export interface Given {
  readonly text: string;
  readonly place: string;
  readonly source: Source;
  /** It may be a part of a secret: no message shows it. */
  readonly hidden?: true;
}

export type Source = 'flag' | 'environment' | 'file';

export const ENVIRONMENT_PREFIX = 'MCP_DRAWBRIDGE_';

export function environmentName(option: string): string {
  return ENVIRONMENT_PREFIX + option.toUpperCase().replaceAll('-', '_');
}

/** What is wrong with a value, said of the place that it came from. */
export function refused(given: Given, what: string, details: ErrorDetails = {}): DrawbridgeError {
  const message = `${given.place}: ${what}`;
  return given.source === 'flag' ? new UsageError(message, details) : new ConfigError(message, details);
}
