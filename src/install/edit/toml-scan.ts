/** A table's header, or a key with its value. Offsets are those of the text. */
export interface TomlItem {
  readonly kind: 'table' | 'array-table' | 'pair';
  /** From the root, including those of the table before them. */
  readonly keys: readonly string[];
  /** The start and the end of the line, including its line break. */
  readonly start: number;
  readonly end: number;
  /** Of a pair. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** The items of a valid TOML text, in order (TOML 1.0.0). */
export function scanToml(text: string): readonly TomlItem[] {
  const items: TomlItem[] = [];
  let table: readonly string[] = [];
  for (let at = skipBetween(text, 0); at < text.length; at = skipBetween(text, at)) {
    const start = text.lastIndexOf('\n', at - 1) + 1;
    if (text[at] === '[') {
      const isArray = text[at + 1] === '[';
      const { keys, end } = readKeys(text, at + (isArray ? 2 : 1));
      const lineEnd = endOfLine(text, end);
      table = keys;
      const kind = isArray ? 'array-table' : 'table';
      items.push({ kind, keys, start, end: lineEnd, valueStart: at, valueEnd: end });
      at = lineEnd;
      continue;
    }
    const { keys, end } = readKeys(text, at);
    const valueStart = skipBlanks(text, text.indexOf('=', end) + 1);
    const valueEnd = skipValue(text, valueStart);
    at = endOfLine(text, valueEnd);
    items.push({ kind: 'pair', keys: [...table, ...keys], start, end: at, valueStart, valueEnd });
  }
  return items;
}

/** White space, line breaks and comments. */
function skipBetween(text: string, from: number): number {
  return from + (/^(?:\s|#[^\n]*)*/.exec(text.slice(from))?.[0].length ?? 0);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at === -1 ? text.length : at + 1;
}

const BARE = /[A-Za-z0-9_-]+/y;

/** A dotted key; `end` is its end. */
function readKeys(text: string, from: number): { readonly keys: readonly string[]; readonly end: number } {
  const keys: string[] = [];
  let at = skipBlanks(text, from);
  for (;;) {
    BARE.lastIndex = at;
    const bare = BARE.exec(text)?.[0];
    const end = bare === undefined ? skipString(text, at) : at + bare.length;
    keys.push(bare ?? unquoted(text.slice(at, end)));
    const next = skipBlanks(text, end);
    if (text[next] !== '.' || end === at) return { keys, end };
    at = skipBlanks(text, next + 1);
  }
}

function unquoted(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    // An escape that JSON does not have; no host's key for servers contains one.
    return text;
  }
}

function skipString(text: string, from: number): number {
  const mark = text[from] ?? '';
  if (text.startsWith(mark.repeat(3), from)) {
    let at = from + 3;
    while (at < text.length && !text.startsWith(mark.repeat(3), at)) at += isEscape(text, at, mark) ? 2 : 1;
    at += 3;
    // Up to two quotation marks may precede the closing three.
    while (text[at] === mark) at++;
    return at;
  }
  let at = from + 1;
  while (at < text.length && text[at] !== mark) at += isEscape(text, at, mark) ? 2 : 1;
  return at + 1;
}

const isEscape = (text: string, at: number, mark: string) => mark === '"' && text[at] === '\\';

function skipValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"' || first === "'") return skipString(text, from);
  if (first !== '[' && first !== '{')
    return from + (/^[^\s,\]}#]*(?: \d[^\s,\]}#]*)?/.exec(text.slice(from))?.[0].length ?? 0);
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"' || character === "'") at = skipString(text, at) - 1;
    else if (character === '#') at = endOfLine(text, at) - 1;
    else if (character === '[' || character === '{') depth++;
    else if ((character === ']' || character === '}') && --depth === 0) return at + 1;
  }
  return text.length;
}
