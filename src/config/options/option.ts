import type * as z from 'zod/mini';
import { ConfigError, type DrawbridgeError, type ErrorDetails, UsageError } from '../../errors.ts';

import type { Command } from '../commands/commands.ts';

/** The section of `--help all` that lists the option. */
export type OptionGroup =
  | 'Server'
  | 'Sign-in'
  | 'Store'
  | 'Headless'
  | 'Commands'
  | 'Hosts'
  | 'Tools'
  | 'Behaviour'
  | 'Logs'
  | 'Settings';

/** The declaration of an option: its flag, environment variable, config file key, help and check all come from here. */
export interface Option {
  readonly group: OptionGroup;
  /** One line of `--help`. */
  readonly help: string;
  /** The placeholder for the value in `--help`. Without it the option is a switch, with the text `true` or `false`. */
  readonly placeholder?: string;
  /** The value of the flag where none follows, and what a value that follows looks like. */
  readonly bare?: { readonly text: string; readonly value: RegExp };
  /** Other names of the same option, usually mcp-remote's. */
  readonly aliases?: readonly string[];
  /** The values of all sources are combined, those of the stronger source last. */
  readonly repeatable?: true;
  /** The value may contain a secret, so no message shows it. A function: this text may. */
  readonly secret?: true | ((text: string) => boolean);
  /** A path: `~/` is expanded, and in a config file it is relative to that file. */
  readonly path?: true;
  /** Only on the command line and in the environment. */
  readonly notInFile?: true;
  /** Only on the command line. */
  readonly flagOnly?: true;
  /** Only in the environment, because argv would show the secret to every program on the machine (.github/SECURITY.md, attack 40). */
  readonly environmentOnly?: true;
  /**
   * Given to a sign-in in a terminal as well. `key`: it tells logins apart, so the credential's key has a part for it
   * (store/record/credential-key.ts). `sign-in`: the sign-in needs it, and ends in the same login without it.
   */
  readonly login?: 'key' | 'sign-in';
  /** The option is only valid with these commands. */
  readonly only?: readonly Command[];
  /** Turns the text into the value; its messages read "expected …". */
  readonly schema: z.ZodMiniType<unknown, string>;
}

/** A value and where it came from; `place` reads `--scope`, `MCP_DRAWBRIDGE_SCOPE` or `scope in FILE`. */
export interface Given {
  readonly text: string;
  readonly place: string;
  readonly source: Source;
  /** The value may be part of a secret, so no message shows it. */
  readonly hidden?: true;
}

/** The sources of settings, strongest first. `program`: the options that a program gave to the library, in place of flags. */
export type Source = 'flag' | 'program' | 'environment' | 'file';

/** Whether this value of the option may contain a secret. */
export function maybeSecret({ secret }: Option, text: string): boolean {
  return typeof secret === 'function' ? secret(text) : secret === true;
}

/** The prefix of our environment variables. */
export const ENVIRONMENT_PREFIX = 'MCP_DRAWBRIDGE_';

/** The environment variable of an option. */
export function environmentName(option: string): string {
  return ENVIRONMENT_PREFIX + option.toUpperCase().replaceAll('-', '_');
}

/** An error that says what is wrong with a value and where it came from: UsageError for a flag, ConfigError for the rest. */
export function refused(given: Given, what: string, details: ErrorDetails = {}): DrawbridgeError {
  const message = `${given.place}: ${what}`;
  return given.source === 'flag' ? new UsageError(message, details) : new ConfigError(message, details);
}
