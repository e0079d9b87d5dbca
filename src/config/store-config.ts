import * as z from 'zod/mini';
import { ConfigError, type DrawbridgeError, describeError, UsageError } from '../errors.ts';
import { ownCommand } from '../platform/program/program-command.ts';
import { quote } from '../protocol/quote.ts';
import { type Effective, strongest } from './options/given-options.ts';
import type { Given } from './options/option.ts';
import type { OptionName } from './options/options.ts';
import type { StoreAddress } from './options/store-address.ts';
import { storeKeys, storePlace } from './options/store-checks.ts';
import { KEY_OPTIONS, PLACE_OPTIONS } from './options/store-options.ts';
import { fileState } from './sources/read-file.ts';
import type { Settings } from './sources/settings.ts';

/** Where logins are stored. */
export type StoreConfig = { readonly kind: 'file' } | { readonly kind: 'memory' } | SharedStoreConfig;

/** A store shared by several machines. */
export interface SharedStoreConfig {
  readonly kind: 'shared';
  /** The engine, as `parseStoreUrl` reads it; may contain a password. */
  readonly url: string;
  /** The prefix of all names on the engine. */
  readonly prefix: string;
  readonly keys: StoreKeys;
}

/** The keys: 32 bytes each, of which the first one seals; or the program that prints them. `file`: where they come from, and its state at that time; its contents may change. */
export type StoreKeys =
  | { readonly kind: 'secrets'; readonly secrets: readonly Uint8Array[]; readonly file?: KeyFile }
  | { readonly kind: 'command'; readonly words: readonly string[] };

export interface KeyFile {
  readonly path: string;
  /** Of `fileState`. */
  readonly state: string | undefined;
}

/** What `readStoreConfig` reads from. */
export interface StoreConfigDeps {
  readonly readFile: (path: string) => string;
  /** The permission bits of a file; undefined if it has none. */
  readonly modeOf: (path: string) => number | undefined;
}

const PREFIX = 'mcp-drawbridge';

/**
 * The store, and warnings about its configuration. Of two sources the stronger one counts. Throws UsageError or ConfigError, also for a shared store without a
 * key: whoever can write to the engine could otherwise read and change every login.
 */
export function readStoreConfig(
  settings: Settings,
  effective: Effective,
  deps: StoreConfigDeps,
): { readonly store: StoreConfig; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const address = readPlace(settings, effective, deps, warnings);
  if (address === 'file' || address === 'memory') {
    refuseWithoutStore(effective);
    return { store: { kind: address }, warnings };
  }
  if (address.plainTo !== undefined && settings['allow-plain-store'] !== true) {
    throw new UsageError(
      `the store's address has no TLS: everyone between here and ${address.plainTo} could read its password and delete logins`,
      { hint: 'use rediss://, or add --allow-plain-store if the network between is trusted' },
    );
  }
  const keys = readKeys(settings, effective, deps, warnings);
  const { url } = address;
  const store: SharedStoreConfig = {
    kind: 'shared',
    url,
    prefix: settings['store-prefix'] ?? PREFIX,
    keys,
  };
  return { store, warnings };
}

function readPlace(
  settings: Settings,
  effective: Effective,
  deps: StoreConfigDeps,
  warnings: string[],
): 'file' | 'memory' | StoreAddress {
  const place = oneOf(PLACE_OPTIONS, effective);
  if (place === 'store') {
    const address = settings.store ?? 'file';
    const [given] = effective.get('store') ?? [];
    if (given?.source === 'flag' && typeof address === 'object' && address.password !== undefined) {
      warnings.push(
        'the password of the store is on the command line, where every program on this machine can read it; ' +
          'use --store-file or MCP_DRAWBRIDGE_STORE',
      );
    }
    return address;
  }
  const path = settings['store-file'];
  if (place === undefined || path === undefined) return 'file';
  return read(storePlace, '--store-file', path, deps, warnings, (text) => text.trim());
}

function readKeys(
  settings: Settings,
  effective: Effective,
  deps: StoreConfigDeps,
  warnings: string[],
): StoreKeys {
  const way = oneOf(KEY_OPTIONS, effective);
  const { 'store-key': secrets, 'store-key-file': file, 'store-key-command': words } = settings;
  if (way === 'store-key' && secrets !== undefined) return { kind: 'secrets', secrets };
  if (way === 'store-key-command' && words !== undefined) return { kind: 'command', words };
  if (way === 'store-key-file' && file !== undefined) {
    // Before the contents: a change between the two looks is noticed later.
    const state = fileState(file);
    return { kind: 'secrets', secrets: readKeyFile(file, deps, warnings), file: { path: file, state } };
  }
  throw new UsageError(
    'a shared store needs a key, with which logins are sealed before they leave this machine',
    {
      hint: `make one with \`${ownCommand('store', 'key', 'FILE')}\`, copy it to each machine, and pass --store-key-file FILE`,
    },
  );
}

/** The contents of `--store-key-file`. Throws UsageError or ConfigError, which does not quote the file. */
export function readKeyFile(path: string, deps: StoreConfigDeps, warnings: string[]): readonly Uint8Array[] {
  return read(storeKeys, '--store-key-file', path, deps, warnings);
}

/** The settings of `move`, with the address of `--to` as the store. Throws UsageError if there is no store to move to, or none to move from. */
export function withMoveTarget(settings: Settings, effective: Effective): readonly [Settings, Effective] {
  const { to } = settings;
  if (to === undefined) {
    throw new UsageError('the target is missing: pass --to with the address of a store, or --to file', {
      hint: ownCommand('move', 'https://example.com/mcp', '--to', 'rediss://store.example'),
    });
  }
  if (typeof to === 'object') {
    const given = effective.get('to') ?? [];
    return [{ ...settings, store: to }, new Map([...effective, ['store', given]])];
  }
  const isNamed = PLACE_OPTIONS.some((name) => effective.has(name));
  if (isNamed) return [settings, effective];
  throw new UsageError(`--to ${to} needs --store or --store-file with the address of the shared store`);
}

/** The contents of a secret file. No message quotes them. Throws UsageError or ConfigError. */
function read<T>(
  schema: z.ZodMiniType<T, string>,
  place: string,
  path: string,
  { readFile, modeOf }: StoreConfigDeps,
  warnings: string[],
  trim = (text: string) => text,
): T {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    throw new ConfigError(`${place}: ${quote(path)} cannot be read: ${describeError(error)}`);
  }
  const mode = modeOf(path);
  const shown = (mode ?? 0).toString(8).padStart(4, '0');
  if (mode !== undefined && (mode & 0o022) !== 0) {
    throw new ConfigError(`${place}: other users can change ${quote(path)} (mode ${shown})`, {
      hint: `chmod 600 ${path}`,
    });
  }
  if (mode !== undefined && (mode & 0o004) !== 0)
    warnings.push(
      `${place}: every user of this machine can read ${quote(path)} (mode ${shown}); chmod 600 changes that`,
    );
  const result = z.safeParse(schema, trim(text));
  if (result.success) return result.data;
  throw new UsageError(
    `${place}: ${quote(path)}: ${result.error.issues[0]?.message ?? 'expected something else'}`,
  );
}

/** The option of the strongest source. Throws UsageError for two of the same. */
function oneOf<Name extends OptionName>(names: readonly Name[], effective: Effective): Name | undefined {
  const [first, second] = strongest(names, effective);
  if (second !== undefined) {
    throw new UsageError(`${first} and ${second} exclude each other`.replaceAll(/store[\w-]*/g, '--$&'));
  }
  return first;
}

/** Those from the environment and files may be meant for another command. */
function refuseWithoutStore(effective: Effective): void {
  const isFlag = ({ source }: Given) => source === 'flag';
  const stray = ([...KEY_OPTIONS, 'store-prefix'] as const).find((name) => effective.get(name)?.some(isFlag));
  if (stray !== undefined) throw needsStore(stray);
}

function needsStore(name: string): DrawbridgeError {
  return new UsageError(`--${name} needs --store or --store-file with the address of an engine`, {
    hint: 'see --help all',
  });
}
