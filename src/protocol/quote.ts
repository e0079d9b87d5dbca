import { redactor } from '../redaction/secrets.ts';

/** Texts of servers are shortened to this length, so that they cannot flood a terminal or a log (.github/SECURITY.md, attack 24). */
const MAX_QUOTED_CHARACTERS = 200;
/** How much of a text is processed: enough for 200 characters, and the cost does not grow with the length that a server sends. */
const MAX_INSPECTED_UNITS = 4_000;

const WHITE_SPACE = /[\s\u0085]+/gu;
/** Control, format (bidi, zero width), surrogate, private-use and unassigned characters: nothing that a person could read. */
const INVISIBLE = /\p{C}/gu;

/**
 * Makes a text from outside safe for a terminal, a log or a page: secrets of the bridge are removed, and the rest is one line without control or
 * bidi characters, at most 200 characters long.
 */
export function plainText(text: string): string {
  const visible = redactor
    .redactRegistered(text, MAX_INSPECTED_UNITS)
    .replace(WHITE_SPACE, ' ')
    .replace(INVISIBLE, '');
  // Redact again: the characters removed above may have separated two halves of a secret.
  const line = redactor.redactRegistered(visible).replace(/ {2,}/g, ' ').trim();
  const characters = [...line];
  if (characters.length <= MAX_QUOTED_CHARACTERS) return line;
  return `${characters.slice(0, MAX_QUOTED_CHARACTERS - 1).join('')}…`;
}

/** The same in double quotes, which the text cannot close. */
export function quote(text: string): string {
  return `"${plainText(text).replaceAll('"', "'")}"`;
}

/**
 * The address of a server in a form that may be shown. Some addresses contain an API key in the query, so only the names of its parameters are
 * shown; a part without `=` may be a key as a whole.
 */
export function shownAddress(address: URL | string): string {
  const [place = '', query] = String(address).split(/\?(.*)/s);
  if (query === undefined || query === '') return place;
  const names = query.split('&').map((pair) => (pair.includes('=') ? `${pair.split('=', 1)[0]}=…` : '…'));
  return `${place}?${names.join('&')}`;
}

/** `shownAddress` in double quotes. */
export function quoteAddress(address: URL | string): string {
  return quote(shownAddress(address));
}

/** The text with its first letter in upper case. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
