/** A text with escapes decoded, and for each of its UTF-16 units the index at which its source begins in the original text. */
export interface Unescaped {
  readonly text: string;
  /** Has one more element than `text` has units: the last is the length of the original. Undefined if nothing was decoded. */
  readonly starts: readonly number[] | undefined;
}

/** How many levels of escapes are decoded: JSON in a string of JSON that was sent in a form makes three. */
const MAX_DEPTH = 3;
/** Limits the cost: a text full of all kinds of escapes costs at most this many times as much as a plain one. */
const MAX_COPIES = 16;

interface Escaping {
  /** A character that every escape of this kind contains. */
  readonly sign: string;
  readonly pattern: RegExp;
  readonly character: (match: RegExpExecArray) => string | undefined;
}

const ESCAPINGS: readonly Escaping[] = [
  {
    // JSON (RFC 8259 §7), the escapes of other languages, and `\u{1b}`, as which the log shows control characters.
    sign: '\\',
    pattern: /\\(?:u\{([\da-f]{1,6})\}|u([\da-f]{4})|x([\da-f]{2})|(["'\\/bfnrt]))/gi,
    character: ([, braced, four, two, simple = '']) => {
      const hex = braced ?? four ?? two;
      return hex === undefined ? (CONTROLS[simple] ?? simple) : fromCode(Number.parseInt(hex, 16));
    },
  },
  {
    // RFC 3986 §2.1. A character beyond ASCII is several bytes in UTF-8.
    sign: '%',
    pattern: /%[0-7][\da-f]|(?:%[89a-f][\da-f])+/gi,
    character: ([escaped]) => Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('utf8'),
  },
  {
    // HTML §13.5.
    sign: '&',
    pattern: /&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));/gi,
    character: ([, hex, decimal, name]) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()];
      return fromCode(Number.parseInt(hex ?? decimal ?? '', hex === undefined ? 10 : 16));
    },
  },
];

const CONTROLS: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** The entities of the characters that occur in tokens and passwords. */
const ENTITIES: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  sol: '/',
  plus: '+',
  equals: '=',
  lowbar: '_',
  period: '.',
  colon: ':',
  semi: ';',
  comma: ',',
  num: '#',
  percnt: '%',
  dollar: '$',
  excl: '!',
  ast: '*',
  lpar: '(',
  rpar: ')',
  quest: '?',
  commat: '@',
  lsqb: '[',
  rsqb: ']',
  bsol: '\\',
  hat: '^',
  grave: '`',
  lcub: '{',
  verbar: '|',
  rcub: '}',
};

/**
 * The text itself and copies with its escapes decoded, one kind of escape at a time and then again in the results. Not all kinds at once: the
 * backslash of a Windows path before a percent-encoded secret would then swallow its first letter.
 */
export function unescapedCopies(text: string): readonly Unescaped[] {
  const copies: Unescaped[] = [{ text, starts: undefined }];
  // Not the text itself: what is decoded is shorter.
  const seen = new Set<string>();
  for (let depth = 0, from = 0; depth < MAX_DEPTH; depth++) {
    const to = copies.length;
    for (; from < to; from++) {
      for (const escaping of ESCAPINGS) {
        const copy = takenBack(copies[from] as Unescaped, escaping);
        if (copy === undefined || seen.has(copy.text)) continue;
        if (copies.length === MAX_COPIES) return copies;
        seen.add(copy.text);
        copies.push(copy);
      }
    }
  }
  return copies;
}

/** The range of the original text that the units from `start` up to `end` of a copy come from. */
export function originalRange({ starts }: Unescaped, start: number, end: number): [number, number] {
  if (starts === undefined) return [start, end];
  let after = end;
  // An escape that decodes to several units is included as a whole. The last start is beyond all others.
  while (starts[after] === starts[after - 1]) after++;
  return [starts[start] as number, starts[after] as number];
}

function takenBack(
  { text, starts: before }: Unescaped,
  { sign, pattern, character }: Escaping,
): Unescaped | undefined {
  if (!text.includes(sign)) return undefined;
  const place = (at: number) => (before === undefined ? at : (before[at] as number));
  const starts: number[] = [];
  let copy = '';
  let from = 0;
  const keep = (to: number) => {
    copy += text.slice(from, to);
    for (let at = from; at < to; at++) starts.push(place(at));
  };
  for (const match of text.matchAll(pattern)) {
    const stands = character(match);
    if (stands === undefined) continue;
    keep(match.index);
    copy += stands;
    for (let unit = 0; unit < stands.length; unit++) starts.push(place(match.index));
    from = match.index + match[0].length;
  }
  if (from === 0) return undefined;
  keep(text.length);
  starts.push(place(text.length));
  return { text: copy, starts };
}

function fromCode(code: number): string | undefined {
  return code <= 0x10_ffff ? String.fromCodePoint(code) : undefined;
}
