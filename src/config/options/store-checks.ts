import { areOfOneStore } from '../../protocol/store/store-key.ts';
import { StoreUrlFault } from '../../protocol/store-url.ts';
import { check, expected } from './checks.ts';
import { readStoreAddress, type StoreAddress } from './store-address.ts';

/** `--store`: a kind, or the address of an engine. */
export const storePlace = check((text): 'file' | 'memory' | StoreAddress | ReturnType<typeof expected> => {
  // `disk` is the former name of `file`.
  if (text === 'file' || text === 'disk') return 'file';
  if (text === 'memory') return 'memory';
  const address = readStoreAddress(text);
  if (!(address instanceof StoreUrlFault)) return address;
  return expected(text.includes('://') ? address.expected : `file, memory or ${address.expected}`);
});

/** `--to` of `move`: `store` means the otherwise configured store. */
export const moveTarget = check((text): 'file' | 'store' | StoreAddress | ReturnType<typeof expected> => {
  if (text === 'file' || text === 'store') return text;
  const address = readStoreAddress(text);
  if (!(address instanceof StoreUrlFault)) return address;
  return expected(text.includes('://') ? address.expected : `file, store or ${address.expected}`);
});

/** Only an address with a user or a query contains something that no message may show. */
export const hasStoreSecret = (text: string) => /[@?#]/.test(text);

/** Two are enough for a change of keys; more are a mistake. */
const MAX_KEYS = 8;

/** What `keysIn` reads, in words that follow "expected". */
export const KEYS_WANTED = `keys of 32 bytes (or 64, of \`store key --add\`) in base64 or hex, at most ${MAX_KEYS}, one a line`;

/** Keys, of which the first one seals and all open. */
export const storeKeys = check((text) => {
  const keys = keysIn(text);
  if (keys === undefined) return expected(KEYS_WANTED);
  return areOfOneStore(keys) ? keys : expected(ONE_STORE_WANTED);
});

/** Said of keys that were made each for a store of its own. */
export const ONE_STORE_WANTED =
  'keys of one store: `store key --add FILE` adds one to the file of the others, and names of logins stay as they are';

/** Reads keys in base64, base64url or hex, separated by white space or commas, and `#` comments; undefined for another text. */
export function keysIn(text: string): readonly Uint8Array[] | undefined {
  const words = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, ''))
    .flatMap((line) => line.split(/[\s,]+/))
    .filter((word) => word !== '');
  const keys = words.map(keyBytes);
  const good = keys.filter((key) => key !== undefined);
  return good.length === keys.length && good.length > 0 && good.length <= MAX_KEYS ? good : undefined;
}

/** Lengths are compared: an expression with `{43}` takes half a millisecond to compile, at each start. */
function keyBytes(word: string): Uint8Array | undefined {
  const isHex = (word.length === 64 || word.length === 128) && /^[0-9a-f]*$/i.test(word);
  if (isHex) return Buffer.from(word, 'hex');
  const [, digits = ''] = /^([A-Za-z0-9+/_-]*)={0,2}$/.exec(word) ?? [];
  const padding = word.length - digits.length;
  const isWhole = digits.length === 43 ? padding < 2 : digits.length === 86 && padding !== 1;
  return isWhole ? Buffer.from(word, 'base64') : undefined;
}

/** The prefix of all names on the engine; an access rule of the engine names it. */
export const storePrefix = check((text) =>
  /^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$/.test(text)
    ? text
    : expected('letters, digits, colons, dots, dashes and underscores, at most 64'),
);

/** A program and its arguments separated by spaces; single or double quotes keep spaces, and no shell is involved. */
export const commandWords = check((text): readonly string[] | ReturnType<typeof expected> => {
  const words: string[] = [];
  const rest = text.replace(/\s*((?:"[^"]*"|'[^']*'|[^\s"'])+)/gy, (_, word: string) => {
    words.push(word.replace(/"([^"]*)"|'([^']*)'/g, (_, double = '', single = '') => double + single));
    return '';
  });
  if (rest.trim() !== '') return expected('a quote at the end of each text that begins with one');
  return words.length === 0 || words[0] === '' ? expected('a program and its arguments') : words;
});
