const everyUnit = (text: string, spelled: (code: number) => string): string =>
  Array.from({ length: text.length }, (_, at) => spelled(text.charCodeAt(at))).join('');
const everyCharacter = (text: string, spelled: (code: number) => string): string =>
  Array.from(text, (character) => spelled(character.codePointAt(0) as number)).join('');
const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');

/** How programs write a text into another one. */
export const ESCAPINGS: Readonly<Record<string, (text: string) => string>> = {
  json: (text) => JSON.stringify(text).slice(1, -1),
  'json, as PHP writes it': (text) =>
    everyUnit(JSON.stringify(text).slice(1, -1), (code) =>
      code > 0x7e ? `\\u${hex(code, 4)}` : String.fromCharCode(code),
    ).replaceAll('/', '\\/'),
  'json, as Go and Rails write it': (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replace(/[<>&+'/]/g, (sign) => `\\u${hex(sign.charCodeAt(0), 4).toUpperCase()}`),
  'json, nothing but escapes': (text) => everyUnit(text, (code) => `\\u${hex(code, 4)}`),
  html: (text) =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
  'html, as templates write it': (text) =>
    text.replace(/[&<>"'`=/+]/g, (sign) => `&#x${hex(sign.charCodeAt(0), 2).toUpperCase()};`),
  'html, nothing but numbers': (text) => everyCharacter(text, (code) => `&#${code};`),
  'a part of an address': encodeURIComponent,
  'a form': (text) => new URLSearchParams([['', text]]).toString().slice(1),
  'percent, nothing but': (text) =>
    Buffer.from(text)
      .toString('hex')
      .replace(/../g, (byte) => `%${byte}`),
};

/** Escaped so, the first first. */
export function escapedAs(text: string, kinds: readonly string[]): string {
  return kinds.reduce((escaped, kind) => (ESCAPINGS[kind] as (text: string) => string)(escaped), text);
}

/** Within a text in Base64, where it begins at any of three offsets, in both alphabets (RFC 4648 §4, §5). */
export function base64Spellings(text: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const coded = Buffer.from(`${'x'.repeat(offset)}${text}`).toString('base64');
    // The first and the last group also contain bits of the neighbouring text.
    const inner = coded.slice(offset === 0 ? 0 : 4, -4);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** As it is, escaped in each way and in each two, in Base64, and in lower case, as header values are compared. */
export function spellings(text: string): string[] {
  const kinds = Object.keys(ESCAPINGS);
  const escaped = [[], ...kinds.map((kind) => [kind]), ...kinds.flatMap((a) => kinds.map((b) => [a, b]))];
  return [...new Set([...escaped.map((each) => escapedAs(text, each)), ...base64Spellings(text)])];
}
