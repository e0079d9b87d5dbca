/**
 * C0 and C1 controls move the cursor, set the title or answer for the terminal; U+061C, U+200E–F, U+202A–E and U+2066–9
 * make text read in another order; U+2028–9 break lines where nobody looks.
 */
const UNSAFE = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;
const UNSAFE_BUT_LINE_BREAKS = /(?!\n)[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`;
}

/** Text that may be shown on a terminal as it is, on one line. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same, for text of our own that has lines. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE_BUT_LINE_BREAKS, escaped);
}
