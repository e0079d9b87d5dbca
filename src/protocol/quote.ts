import { redactor } from '../redaction/secrets.ts';

/** Texts of servers are cut here, so that one of them cannot fill a terminal or a log (.github/SECURITY.md, attack 24). */
const MAX_QUOTED_CHARACTERS = 200;
/** Looked at before stripping: enough for 200 characters, and no work that grows with what a server sends. */
const MAX_INSPECTED_UNITS = 4_000;

const WHITE_SPACE = /[\s\u0085]+/gu;
/** Control, format (bidi, zero width), surrogate halves, private use, unassigned: nothing a person could read. */
const INVISIBLE = /\p{C}+/gu;

/**
 * A text from outside made harmless for a terminal, a log or a page: without secrets of the bridge that it repeats, one line, no control or
 * bidi character, at most 200.
 */
export function plainText(text: string): string {
  const visible = redactor
    .redactRegistered(text, MAX_INSPECTED_UNITS)
    .replace(WHITE_SPACE, ' ')
    .replace(INVISIBLE, '');
  // Once more: what stood between two halves of a secret may be gone.
  const line = redactor.redactRegistered(visible).replace(/ {2,}/g, ' ').trim();
  const characters = [...line];
  if (characters.length <= MAX_QUOTED_CHARACTERS) return line;
  return `${characters.slice(0, MAX_QUOTED_CHARACTERS - 1).join('')}…`;
}

/** The same in double quotes, which it cannot close. */
export function quote(text: string): string {
  return `"${plainText(text).replaceAll('"', "'")}"`;
}

/**
 * The address of a server as it may be shown: some carry an API key in the query, so of that only the names. Where there is no `=`, the key may
 * be all of it.
 */
export function shownAddress(address: URL | string): string {
  const [place = '', query] = String(address).split(/\?(.*)/s);
  if (query === undefined || query === '') return place;
  const names = query.split('&').map((pair) => (pair.includes('=') ? `${pair.split('=', 1)[0]}=…` : '…'));
  return `${place}?${names.join('&')}`;
}

export function quoteAddress(address: URL | string): string {
  return quote(shownAddress(address));
}

/** A clause as the beginning of a sentence. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
