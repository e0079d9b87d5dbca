/**
 * C0 and C1 controls move the cursor, set the window title or make the terminal send input; U+061C, U+200E–F, U+202A–E and U+2066–9
 * change the order in which text is displayed; U+2028–9 are line breaks that are easily missed.
 */
const UNSAFE = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;
const UNSAFE_BUT_LINE_BREAKS = /(?!\n)[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`;
}

/** Escapes a text so that it can be shown on a terminal safely, on one line. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same for our own texts, whose line breaks are kept. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE_BUT_LINE_BREAKS, escaped);
}
