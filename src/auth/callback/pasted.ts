/** An address with a code in it is some hundred characters; who pastes more has pasted something else. */
const MAX_PASTED_CHARACTERS = 16 * 1024;

/** The query of a callback address that a person copied from where their browser ended, whole or without its beginning. */
export function pastedQuery(line: string): string | undefined {
  const text = line.trim().replace(/^['"<]|['">]$/g, '');
  if (text === '' || text.length > MAX_PASTED_CHARACTERS) return undefined;
  const start = text.indexOf('?');
  const query = (start === -1 ? text : text.slice(start + 1)).split('#')[0] ?? '';
  // Anything else than an answer of RFC 6749 §4.1.2 is a slip of the hand.
  return new URLSearchParams(query).has('state') ? query : undefined;
}
