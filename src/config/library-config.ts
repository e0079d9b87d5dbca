import { ConfigError, UsageError } from '../errors.ts';
import { quote } from '../protocol/quote.ts';
import { nearest } from './commands/nearest.ts';
import { type Config, configOf } from './config.ts';
import { ENVIRONMENT_PREFIX, environmentName, type Given, type Option } from './options/option.ts';
import { type OptionName, options } from './options/options.ts';
import { storeOptions } from './options/store-options.ts';
import type { Environment } from './sources/environment.ts';
import { readGiven } from './sources/settings.ts';

/**
 * The options of the library: all that decide which login is used, how it is obtained and how the server is reached. Options that only concern relaying, logs
 * or a single command are not included.
 */
export const libraryOptions = [
  'header',
  'header-file',
  'transport',
  'allow-http',
  'ca',
  'cert',
  'key',
  'connect-timeout',
  'profile',
  'scope',
  'resource',
  'callback-host',
  'callback-port',
  'callback-path',
  'auth-timeout',
  'no-browser',
  'assume-pkce',
  'non-interactive',
  'interactive',
  'store',
  'store-file',
  'store-key',
  'store-key-file',
  'store-key-command',
  'store-prefix',
  'allow-plain-store',
  'token',
  'credentials',
  'preset',
  'client-id',
  'client-secret-env',
  'client-secret-file',
  'client-secret',
  'client-key',
  'client-key-alg',
  'client-metadata-url',
  'grant',
  'assertion-file',
  'id-token-file',
  'idp-client-id',
  'idp-client-secret-env',
  'idp-client-secret-file',
  'idp-client-key',
  'idp-token-endpoint',
  'dpop',
  'issuer',
  'authorize-param',
  'no-resource',
  'use-id-token',
  'wait',
  'home',
] as const satisfies readonly OptionName[];

/** `client-id` → `clientId`. */
export type CamelCase<T extends string> = T extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : T;

/** The names of the options in a program. */
export type LibraryOptionName = CamelCase<(typeof libraryOptions)[number]>;

const camelCase = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

const byName: ReadonlyMap<string, OptionName> = new Map(
  libraryOptions.map((name): [string, OptionName] => [camelCase(name), name]),
);

/**
 * Variables that say where logins are. The library reads them, so that it uses the same logins as the bridges on the machine, and no others of this program's
 * variables: the rest is for the caller to configure.
 */
const PLACE: ReadonlySet<string> = new Set(['home', ...Object.keys(storeOptions)].map(environmentName));

/** The environment for the library: without this program's own variables, except those that say where logins are. */
export function libraryEnvironment(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith(ENVIRONMENT_PREFIX) || PLACE.has(name)),
  );
}

export interface LibraryConfigDeps {
  readonly environment: Environment;
  readonly readFile: (path: string) => string;
}

/** Checks the options passed to the library. `given`: by the names of the options in camelCase. Throws ConfigError, which names the option. */
export function libraryConfig(
  url: unknown,
  given: Readonly<Record<string, unknown>>,
  { environment, readFile }: LibraryConfigDeps,
): Config {
  const values = new Map<OptionName, readonly Given[]>();
  values.set('url', [{ text: addressText(url), place: 'url', source: 'program', hidden: true }]);
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const name = byName.get(key);
    if (name === undefined) throw unknownOption(key);
    const texts = valueTexts(key, value, options[name]);
    values.set(
      name,
      texts.map((text) => ({ text, place: key, source: 'program' })),
    );
  }
  const deps = { environment: libraryEnvironment(environment), readFile };
  try {
    return configOf(
      readGiven({ ...deps, given: { given: values, positionals: [] }, command: 'bridge' }),
      deps,
    );
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigError) throw asOptions(error);
    throw error;
  }
}

function addressText(url: unknown): string {
  if (typeof url === 'string') return url;
  if (url instanceof URL) return url.href;
  throw new ConfigError(`url: expected the address of an MCP server, a string or a URL; got ${shapeOf(url)}`);
}

/** The strings that a command line would contain. */
function valueTexts(key: string, value: unknown, option: Option): readonly string[] {
  if (option.placeholder === undefined) {
    if (typeof value === 'boolean') return [String(value)];
    throw new ConfigError(`${key}: expected true or false; got ${shapeOf(value)}`);
  }
  if (option.repeatable === true && Array.isArray(value)) {
    const wrong = value.find((each) => typeof each !== 'string');
    if (wrong === undefined) return value;
    throw new ConfigError(`${key}: expected strings; got an array with ${shapeOf(wrong)}`);
  }
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  const many = option.repeatable === true ? ' or an array of strings' : ' or a number';
  throw new ConfigError(`${key}: expected a string${many}; got ${shapeOf(value)}`);
}

/** The type of a value, without its contents, which may be a secret. */
export function shapeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (typeof value === 'object') return 'an object';
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`;
}

function unknownOption(key: string): ConfigError {
  const near = nearest(camelCase(key), byName.keys());
  return new ConfigError(`${quote(key)} is no option`, {
    hint: near === undefined ? `the options are ${[...byName.keys()].join(', ')}` : `did you mean ${near}?`,
  });
}

/** Replaces the command line's names of options with those in a program. */
function asOptions(error: UsageError | ConfigError): ConfigError {
  const inCamelCase = (text: string) =>
    text.replace(/--([a-z][a-z0-9-]*)/g, (flag, name: string) =>
      byName.has(camelCase(name)) ? camelCase(name) : flag,
    );
  const { hint } = error;
  return new ConfigError(inCamelCase(error.message), { hint: hint && inCamelCase(hint) });
}
