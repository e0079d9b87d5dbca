import { BACKSLASH, COLON, COMMA, QUOTE } from './json-scan.ts';

/**
 * A JSON object as a map from names to the text of the values. Values that we do not change keep their text: parsing and serializing them would
 * lose big integers and key order.
 */
export type RawObject = Map<string, string>;

/** The members of a JSON object that is known to be valid; if a name occurs twice the last one counts, as with JSON.parse. */
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

/** The text of the object. */
export function rawObject(members: RawObject): string {
  const parts: string[] = [];
  for (const [name, value] of members) parts.push(`${JSON.stringify(name)}:${value}`);
  return `{${parts.join(',')}}`;
}

/** The members of the object at `name`; empty if the value there is not an object. */
export function rawChild(members: RawObject, name: string): RawObject {
  const text = members.get(name);
  return text?.startsWith('{') ? rawMembers(text) : new Map();
}

/** The text of one member of a JSON object that is known to be valid, without splitting the rest; if the name occurs twice, the last one. */
export function memberText(object: string, name: string): string | undefined {
  const span = memberSpan(object, name);
  return span === undefined ? undefined : object.slice(...span).trim();
}

/** Where the text of a member begins and ends, blanks included, as `memberText` finds it. */
export function memberSpan(object: string, name: string): [start: number, end: number] | undefined {
  let found: [number, number] | undefined;
  let depth = 0;
  let start = 0;
  let isName = false;
  let isWanted = false;
  for (let at = 0; at < object.length; at++) {
    const code = object.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(object, at);
      if (isName) isWanted = isString(object.slice(at, end + 1), name);
      isName = false;
      at = end;
    } else if (isOpening(code)) {
      depth++;
      if (depth === 1) isName = true;
    } else if (depth > 1) {
      if (isClosing(code)) depth--;
    } else if (code === COLON) {
      start = at + 1;
    } else if (code === COMMA || isClosing(code)) {
      if (isWanted) found = [start, at];
      isWanted = false;
      isName = true;
      if (code !== COMMA) break;
    }
  }
  return found;
}

function isString(json: string, text: string): boolean {
  return json.includes('\\')
    ? JSON.parse(json) === text
    : json.length === text.length + 2 && json.startsWith(text, 1);
}

/** The texts between the commas of the outermost object or array. */
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
    } else if (isOpening(code)) {
      depth++;
      if (depth === 1) start = at + 1;
    } else if (isClosing(code)) {
      depth--;
      if (depth === 0) close(at);
    } else if (depth === 1 && code === COMMA) close(at);
  }
  return found;
}

/** The index of the quote that ends the string that begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  throw new SyntaxError('unterminated JSON string');
}

function isOpening(code: number): boolean {
  return code === 0x5b || code === 0x7b;
}

function isClosing(code: number): boolean {
  return code === 0x5d || code === 0x7d;
}
