import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { querySecrets } from '../redaction/query-secrets.ts';
import { asFlag, isOnlyVariables } from './login-command.ts';
import { type Effective, strongest } from './options/given-options.ts';
import { type Given, maybeSecret, type Option } from './options/option.ts';
import { type OptionName, options } from './options/options.ts';
import { KEY_OPTIONS, PLACE_OPTIONS } from './options/store-options.ts';
import { SECRET_NAME } from './sources/headers.ts';

/** The settings of a bridge as a host's file can hold them. */
export interface EntryOptions {
  /** The arguments: the address, unless it is private, and the options. Without `--home`. */
  readonly words: readonly string[];
  /** Values that are or may be secret and belong in a file that only the user can read, by the keys of `--config`. */
  readonly secrets: Readonly<Record<string, string | readonly string[]>>;
  /** The variables that the options name. */
  readonly variables: readonly string[];
}

/** Options whose value is the name of a variable. */
const NAME_A_VARIABLE: readonly OptionName[] = ['client-secret-env', 'idp-client-secret-env'];
/** Set elsewhere, or for the machine rather than for this server. */
const LEFT_OUT: readonly OptionName[] = ['url', 'header', 'client-secret', 'config', 'home'];

/** The options in effect for an entry in a host's file. Throws a UsageError for secrets next to a `--config` file, which can contain them. */
export function entryOptions(effective: Effective): EntryOptions {
  const [config] = effective.get('config') ?? [];
  const isInFile = ({ source }: Given) => config !== undefined && source === 'file';
  const given = (name: OptionName) => (effective.get(name) ?? []).filter((each) => !isInFile(each));

  const weaker = weakerStoreOptions(effective);
  const words: string[] = [];
  const secrets: Record<string, string | readonly string[]> = {};
  const [url] = given('url');
  if (url !== undefined && querySecrets(new URL(url.text)).length === 0) words.push(url.text);
  else if (url !== undefined) secrets.url = url.text;
  if (config !== undefined) words.push('--config', resolve(config.text));
  for (const name of Object.keys(options) as OptionName[]) {
    const option: Option = options[name];
    const isForBridge =
      option.only === undefined && option.flagOnly !== true && option.environmentOnly !== true;
    if (!isForBridge || LEFT_OUT.includes(name) || weaker.includes(name)) continue;
    for (const each of given(name)) {
      // A sign-in that is impossible in this terminal may be possible in the host.
      if (/interactive$/.test(name) && each.source !== 'flag') continue;
      if (name === 'store' && maybeSecret(option, each.text)) secrets.store = each.text;
      else words.push(...asFlag(name, option, each.text));
    }
  }
  const headers = given('header').map(({ text }) => text);
  const secretHeaders = headers.filter(isSecretHeader);
  // Without a space after the colon: some hosts split arguments at spaces.
  for (const text of headers) if (!isSecretHeader(text)) words.push('--header', text.replace(/:\s+/, ':'));
  if (secretHeaders.length > 0) secrets.header = secretHeaders;
  const [secret] = given('client-secret');
  if (secret !== undefined) secrets['client-secret'] = secret.text;
  if (config !== undefined && Object.keys(secrets).length > 0) {
    throw new UsageError(`${Object.keys(secrets).join(' and ')}: secrets must not be in the file of a host`, {
      hint: 'put it into the file of --config',
    });
  }
  const named = NAME_A_VARIABLE.flatMap((name) => given(name).map(({ text }) => text));
  const inHeaders = words.flatMap((word) =>
    Array.from(word.matchAll(/\$\{([^{}]*)\}/g), ([, name = '']) => name),
  );
  return { words, secrets, variables: [...new Set([...named, ...inHeaders])] };
}

/** Options for the store and its keys that a stronger source overrides. Throws a UsageError for a key that a host's program would not see. */
function weakerStoreOptions(effective: Effective): readonly OptionName[] {
  const [place] = strongest(PLACE_OPTIONS, effective);
  const [key] = strongest(KEY_OPTIONS, effective);
  const [store] = effective.get('store') ?? [];
  const isShared = place === 'store-file' || store?.text.includes('://') === true;
  if (isShared && key === 'store-key') {
    throw new UsageError(
      'the key of the store is in the environment of this terminal, which a host does not see',
      {
        hint: 'put it into a file that only you can read, and pass --store-key-file FILE',
      },
    );
  }
  return [...PLACE_OPTIONS, ...KEY_OPTIONS].filter((name) => name !== place && name !== key);
}

/** A header with a literal value that may be a secret, judging by its name. */
function isSecretHeader(text: string): boolean {
  const [name = '', value = ''] = text.split(/:(.*)/s);
  return SECRET_NAME.test(name) && !isOnlyVariables(value);
}
