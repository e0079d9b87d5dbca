const SPACE = /[\s]/;

/** The end of the string that begins at `at`, its closing quote included. */
function endOfString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\') end++;
    else if (text[end] === '"') return end + 1;
  }
  return text.length;
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; ) {
    const character = text[at] as string;
    if (character === '"') {
      at = endOfString(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (character === '[' || character === '{') depth++;
    if (character === ']' || character === '}') {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    }
    if (depth === 0 && (character === ',' || SPACE.test(character))) return at;
    at++;
  }
  return text.length;
}

/**
 * The texts of an object's own members, for JSON that is known to be valid: `JSON.parse` rounds numbers. Written apart from the program's own
 * reader, which is under test; never recursive, since some of what it reads is 100,000 deep.
 */
export function membersOf(object: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = object.indexOf('{') + 1;
  while (at > 0 && at < object.length) {
    const quote = object.indexOf('"', at);
    if (quote === -1) break;
    const end = endOfString(object, quote);
    let from = object.indexOf(':', end) + 1;
    while (SPACE.test(object[from] ?? '')) from++;
    const until = endOfValue(object, from);
    members.set(JSON.parse(object.slice(quote, end)) as string, object.slice(from, until));
    at = until;
  }
  return members;
}

/** By what an id is known: numbers by their text (JSON-RPC has no rounding), strings by what they spell. */
export function idKey(text: string): string {
  return text.startsWith('"') ? JSON.stringify(JSON.parse(text)) : text;
}
