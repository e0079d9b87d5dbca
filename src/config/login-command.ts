import { resolve } from 'node:path';
import { shownAddress } from '../protocol/quote.ts';
import { StoreUrlFault } from '../protocol/store-url.ts';
import { type Effective, strongest } from './options/given-options.ts';
import { environmentName, type Given, type Option } from './options/option.ts';
import { type OptionName, options } from './options/options.ts';
import { readStoreAddress } from './options/store-address.ts';
import { KEY_OPTIONS, PLACE_OPTIONS } from './options/store-options.ts';

/** The arguments for `mcp-drawbridge login` that sign in to the same credential as these settings. Contains no secret. */
export interface LoginCommand {
  readonly words: readonly string[];
  /** What the user has to add because it is or may be a secret. */
  readonly notes: readonly string[];
}

/** The variable suggested for a secret that was given literally; any name that is not one of ours would do. */
const SECRET_VARIABLE = 'CLIENT_SECRET';

/** Derives the login command from the options in effect. */
export function loginCommand(effective: Effective): LoginCommand {
  // Includes options from the environment, since a terminal has another environment than the host's configuration.
  const words: string[] = [];
  const notes: string[] = [];
  const [config] = effective.get('config') ?? [];
  const isInFile = ({ source }: Given) => config !== undefined && source === 'file';

  const [url] = effective.get('url') ?? [];
  if (url !== undefined && !isInFile(url)) words.push(address(url.text, notes));
  if (config !== undefined) words.push('--config', resolve(config.text));
  for (const name of Object.keys(options) as OptionName[]) {
    const option: Option = options[name];
    for (const given of effective.get(name) ?? []) {
      // Options that may contain a secret are handled separately, above and below.
      if (option.login === undefined || option.secret !== undefined || isInFile(given)) continue;
      if (option.group !== 'Store') words.push(...asFlag(name, option, given.text));
    }
  }
  const ofStore = storeWords(effective, isInFile);
  words.push(...ofStore.words);
  notes.push(...ofStore.notes);
  for (const line of (effective.get('header') ?? []).filter((each) => !isInFile(each))) {
    const [name = '', value = ''] = line.text.split(/:(.*)/s);
    if (isOnlyVariables(value)) words.push('--header', line.text);
    else notes.push(`with the same --header ${name.trim()} as here`);
  }
  const [secret] = effective.get('client-secret') ?? [];
  if (secret !== undefined && !isInFile(secret)) {
    words.push('--client-secret-env', SECRET_VARIABLE);
    notes.push(`with the client secret in the environment variable ${SECRET_VARIABLE}`);
  }
  // A user who runs this command in a terminal can sign in there, whatever the config file says.
  const [nobody] = effective.get('non-interactive') ?? effective.get('interactive') ?? [];
  if (nobody !== undefined && isInFile(nobody)) words.push('--non-interactive=false');
  return { words, notes };
}

/** The store, if it is a shared one: the others need no argument. */
function storeWords(effective: Effective, isInFile: (given: Given) => boolean): LoginCommand {
  const words: string[] = [];
  const notes: string[] = [];
  const [place] = strongest(PLACE_OPTIONS, effective);
  const [given] = (place && effective.get(place)) ?? [];
  const address = place === 'store' && given !== undefined ? readStoreAddress(given.text) : undefined;
  if (given === undefined || address instanceof StoreUrlFault) return { words, notes };
  if (address !== undefined && !isInFile(given)) {
    words.push('--store', address.shown);
    if (address.password !== undefined) notes.push(`with the store's password in its address`);
  }
  const named = [
    'store-file',
    ...strongest(KEY_OPTIONS, effective),
    'store-prefix',
    'allow-plain-store',
  ] as const;
  for (const name of named) {
    const [each] = effective.get(name) ?? [];
    if (each === undefined || isInFile(each) || (name === 'store-file' && address !== undefined)) continue;
    if (name === 'store-key') notes.push(`with ${environmentName(name)} set as here`);
    else words.push(...asFlag(name, options[name], each.text));
  }
  return { words, notes };
}

/** An option as arguments; a path is absolute. */
export function asFlag(name: string, option: Option, text: string): string[] {
  const flag = `--${name}`;
  if (option.placeholder === undefined) return [/^(true|1|yes|on)$/i.test(text) ? flag : `${flag}=false`];
  const value = option.path === true ? resolve(text) : text;
  return value.startsWith('-') ? [`${flag}=${value}`] : [flag, value];
}

/** Hides the query, which may contain a key, because the command is shown to hosts and in logs. */
function address(text: string, notes: string[]): string {
  const { search, href } = new URL(text);
  if (search === '') return href;
  notes.push('with the rest of the address in place of the dots');
  return shownAddress(href);
}

/** Whether a header's value consists only of variables, such as `Bearer ${TOKEN}`; anything else may be a secret. */
export function isOnlyVariables(value: string): boolean {
  return value.includes('${') && /^\s*([A-Za-z]+\s+)?(\$\{[^{}]*\}\s*)+$/.test(value);
}
