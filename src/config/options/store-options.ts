import { filePath, onOff } from './checks.ts';
import type { Option } from './option.ts';
import { commandWords, hasStoreSecret, storeKeys, storePlace, storePrefix } from './store-checks.ts';

/** The ways to name the engine. */
export const PLACE_OPTIONS = ['store', 'store-file'] as const;
/** The ways to give the keys. */
export const KEY_OPTIONS = ['store-key', 'store-key-file', 'store-key-command'] as const;

/** Where logins are stored, and the settings of a shared store. */
export const storeOptions = {
  store: {
    group: 'Store',
    placeholder: 'URL',
    help: 'rediss://… for one login on many machines; memory; file (default)',
    secret: hasStoreSecret,
    login: 'sign-in',
    schema: storePlace,
  },
  'store-file': {
    group: 'Store',
    placeholder: 'FILE',
    help: 'a file with the URL of --store, such as one with a password',
    path: true,
    login: 'sign-in',
    schema: filePath,
  },
  'store-key': {
    group: 'Store',
    placeholder: 'KEYS',
    help: 'the keys themselves, in base64 or hex; the first seals, all open',
    environmentOnly: true,
    secret: true,
    schema: storeKeys,
  },
  'store-key-file': {
    group: 'Store',
    placeholder: 'FILE',
    help: 'keys of a shared store, one per line; `store key FILE` creates one',
    path: true,
    login: 'sign-in',
    schema: filePath,
  },
  'store-key-command': {
    group: 'Store',
    placeholder: 'CMD',
    help: 'a program that prints the keys, with its arguments; no shell, 10 s',
    login: 'sign-in',
    schema: commandWords,
  },
  'store-prefix': {
    group: 'Store',
    placeholder: 'NAME',
    help: 'the prefix of all names on the engine (default: mcp-drawbridge)',
    login: 'sign-in',
    schema: storePrefix,
  },
  'allow-plain-store': {
    group: 'Store',
    help: 'allow redis:// (without TLS) to another machine',
    login: 'sign-in',
    schema: onOff,
  },
} satisfies Record<string, Option>;
