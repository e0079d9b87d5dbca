import * as z from 'zod/mini';
import { describeError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';
import type { Command } from '../commands/commands.ts';
import type { Effective } from '../options/given-options.ts';
import { type Given, maybeSecret, type Option, refused } from '../options/option.ts';
import { type OptionName, options } from '../options/options.ts';
import { type CommandLine, readCommandLine } from './command-line.ts';
import { readConfigFile } from './config-file.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { expandHome } from './expand-home.ts';
import { type Header, headerFileLines, readHeaders } from './headers.ts';
import { type KeychainAction, withPositionals } from './positionals.ts';

/** The checked values of all options that take one value. */
export type Settings = { readonly [K in OptionName]?: z.output<(typeof options)[K]['schema']> };

/** All settings after reading, and what they were read from. */
export interface ReadSettings {
  readonly settings: Settings;
  readonly headers: readonly Header[];
  /** `--authorize-param` of all sources. */
  readonly authorizeParams: readonly (readonly [name: string, value: string])[];
  /** `--allow-tool` and `--deny-tool` of all sources. */
  readonly allowTools: readonly string[];
  readonly denyTools: readonly string[];
  readonly warnings: readonly string[];
  readonly effective: Effective;
  /** The file that `tokens import` reads. */
  readonly file?: string | undefined;
  /** The target of `uninstall`. */
  readonly target?: string | undefined;
  /** The action of `keychain`. */
  readonly keychainAction?: KeychainAction | undefined;
  /** The values of `--host`. */
  readonly hosts: readonly string[];
}

type Source = ReadonlyMap<OptionName, readonly Given[]>;

/** Reads all sources. Flags take precedence over the environment and the environment over the file; weaker values are not checked. */
export function readSettings(
  argv: readonly string[],
  environment: Environment,
  readFile: (path: string) => string,
  command: Command = 'bridge',
): ReadSettings {
  return readGiven({ given: readCommandLine(argv, command), environment, readFile, command });
}

/** Where settings are read from. */
export interface SettingsSources {
  /** The arguments of this run, the strongest source. */
  readonly given: CommandLine;
  readonly environment: Environment;
  readonly readFile: (path: string) => string;
  readonly command: Command;
}

/** The same, with the strongest source already read. Throws UsageError or ConfigError. */
export function readGiven({
  given: commandLine,
  environment,
  readFile,
  command,
}: SettingsSources): ReadSettings {
  const home = environment.HOME ?? environment.USERPROFILE;
  const { given: variables, warnings } = readEnvironment(environment);
  const read = (given: Given, path: string): string => {
    try {
      return readFile(path);
    } catch (error) {
      throw refused(given, `cannot be read: ${describeError(error)}`);
    }
  };

  const configFile = last(commandLine.given, 'config') ?? last(variables, 'config');
  let file: Source = new Map();
  if (configFile !== undefined) {
    const path = expandHome(configFile.text, home);
    file = readConfigFile(read(configFile, path), path, home);
  }

  const lines: Given[] = [];
  for (const source of [file, variables, commandLine.given]) {
    for (const given of source.get('header-file') ?? []) {
      const path = expandHome(given.text, home);
      lines.push(...headerFileLines(read(given, path), path));
    }
    lines.push(...(source.get('header') ?? []));
  }
  // Checked before the positionals: if a host split a header at a space, the rest of it is among them.
  const { headers, warnings: headerWarnings } = readHeaders(lines, environment);
  const { given: flags, file: input, target, keychainAction } = withPositionals(commandLine, command);

  // Without a prototype: properties that other code has added to Object.prototype are not settings.
  const settings: Partial<Record<OptionName, unknown>> = Object.create(null);
  const effective = new Map<OptionName, readonly Given[]>();
  for (const name of Object.keys(options) as OptionName[]) {
    const option: Option = options[name];
    const all = [file, variables, flags].flatMap((source) => source.get(name) ?? []);
    const given = all.at(-1);
    if (given === undefined) continue;
    const expanded = (each: Given): Given =>
      option.path === true ? { ...each, text: expandHome(each.text, home) } : each;
    effective.set(name, (option.repeatable === true ? all : [given]).map(expanded));
    if (option.repeatable === true) continue;
    if (option.only?.includes(command) === false) {
      throw refused(given, `only valid with the command ${option.only.join(', ')}`);
    }
    settings[name] = checked(option, expanded(given));
  }
  const allOf = <K extends OptionName>(name: K) =>
    [file, variables, flags].flatMap((source) =>
      (source.get(name) ?? []).map(
        (given) => checked(options[name], given) as z.output<(typeof options)[K]['schema']>,
      ),
    );
  const literal = last(flags, 'client-secret');
  const secretWarnings =
    literal?.source === 'flag'
      ? [
          `${literal.place}: every program on this machine can read the arguments; use --client-secret-env or --client-secret-file`,
        ]
      : [];
  return {
    settings: settings as Settings,
    headers,
    authorizeParams: allOf('authorize-param'),
    allowTools: allOf('allow-tool'),
    denyTools: allOf('deny-tool'),
    warnings: [...warnings, ...headerWarnings, ...secretWarnings],
    effective,
    file: input,
    target,
    keychainAction,
    hosts: allOf('host'),
  };
}

const last = (source: Source, name: OptionName): Given | undefined => source.get(name)?.at(-1);

function checked(option: Option, given: Given): unknown {
  const result = z.safeParse(option.schema, given.text);
  if (result.success) return result.data;
  const hidden = maybeSecret(option, given.text) || given.hidden === true;
  const expected = result.error.issues[0]?.message ?? 'expected something else';
  throw refused(given, hidden ? expected : `${expected}; got ${quote(given.text)}`);
}
