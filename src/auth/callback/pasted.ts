/** An address with a code has some hundred characters; a longer line is something else. */
const MAX_PASTED_CHARACTERS = 16 * 1024;

/** The query of a callback address that a person copied from the browser's last page, complete or without its beginning. */
export function pastedQuery(line: string): string | undefined {
  const text = line.trim().replace(/^['"<]|['">]$/g, '');
  if (text === '' || text.length > MAX_PASTED_CHARACTERS) return undefined;
  const start = text.indexOf('?');
  const query = (start === -1 ? text : text.slice(start + 1)).split('#')[0] ?? '';
  // Anything but a response of RFC 6749 §4.1.2 was pasted by mistake.
  return new URLSearchParams(query).has('state') ? query : undefined;
}
