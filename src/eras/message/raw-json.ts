/**
 * JSON objects as name → the text of the value. What is not looked at keeps its bytes: parsing and writing it again would lose big integers and
 * key order.
 */
export type RawObject = Map<string, string>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** The members of a JSON object that is known to be valid; of a name that comes twice the last counts, as for JSON.parse. */
export function rawMembers(object: string): RawObject {
  const members: RawObject = new Map();
  for (const piece of pieces(object)) {
    const end = endOfString(piece, 0);
    const name = JSON.parse(piece.slice(0, end + 1)) as string;
    members.set(name, piece.slice(piece.indexOf(':', end) + 1).trim());
  }
  return members;
}

/** The elements of a JSON array that is known to be valid. */
export function rawElements(array: string): string[] {
  return pieces(array);
}

export function rawObject(members: RawObject): string {
  const parts: string[] = [];
  for (const [name, value] of members) parts.push(`${JSON.stringify(name)}:${value}`);
  return `{${parts.join(',')}}`;
}

/** The members of the object at `name`; none where there is no object. */
export function rawChild(members: RawObject, name: string): RawObject {
  const text = members.get(name);
  return text?.startsWith('{') ? rawMembers(text) : new Map();
}

/** What stands between the commas of the outermost object or array. */
function pieces(container: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  const close = (end: number) => {
    const piece = container.slice(start, end).trim();
    if (piece !== '') found.push(piece);
    start = end + 1;
  };
  for (let at = 0; at < container.length; at++) {
    const code = container.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(container, at);
    } else if (OPENING.has(code)) {
      depth++;
      if (depth === 1) start = at + 1;
    } else if (CLOSING.has(code)) {
      depth--;
      if (depth === 0) close(at);
    } else if (depth === 1 && code === COMMA) close(at);
  }
  return found;
}

/** The index of the quote that ends the string which begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) return end;
    if (code === BACKSLASH) end++;
  }
  throw new SyntaxError('a JSON string without its end');
}
