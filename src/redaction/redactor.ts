import { SecretWindows, WINDOW_CHARACTERS } from './secret-windows.ts';
import { originalRange, unescapedCopies } from './unescaped.ts';

/**
 * How long a secret is looked for. `setting`: the user gave it, for good. Of the others the newest of each kind: `credential`, tokens and what
 * belongs to them; `session`, the name of a session; `cookie`, which a server may change with each answer.
 */
export type SecretKind = 'setting' | 'credential' | 'session' | 'cookie';

/**
 * The last line of defence against a secret in a log or before a host: what was registered is removed in every spelling that it is
 * likely to take, and what looks like a secret is removed by the name next to it. Nothing here throws.
 *
 * With `limit` only the first so many characters come back: cut after the removal, so that no cut leaves a part of a secret. What is
 * beyond is not looked at, and costs nothing.
 */
export interface Redactor {
  /** From now on this text is removed; added again, it is the newest of its kind. */
  add(secret: string, kind?: SecretKind): void;
  /** It turned out to be none. */
  forget(secret: string): void;
  /** For logs: registered secrets, credentials by scheme, values of telling names. */
  redact(text: string, limit?: number): string;
  /** For a person who has to open an address: the same, but its `state` stays, without which the sign-in cannot end. */
  redactForPerson(text: string, limit?: number): string;
  /** Registered secrets alone. */
  redactRegistered(text: string, limit?: number): string;
  /** What adding and removing has cost so far, in looks at a table. */
  readonly steps: number;
}

const REDACTED = '[redacted]';
/** Shorter texts are words that occur everywhere; nothing that short keeps anybody out. */
const SECRET_MIN_CHARACTERS = 6;
/** No server takes a header of this length (Node: 16 KiB in all); of a longer text the beginning is looked for. */
const SECRET_MAX_CHARACTERS = 64 * 1024;
/** In Base64 are passwords and keys (RFC 7617 §2); a token of more than this has no place in a `Basic` header. */
const BASE64_MAX_CHARACTERS = 2 * 1024;
/** A shorter piece of Base64 stands anywhere by chance. */
const BASE64_MIN_CHARACTERS = 8;
/** A session that refreshes every few minutes for weeks: the oldest tokens are long dead. */
const MAX_SECRETS: Readonly<Record<SecretKind, number>> = {
  setting: Number.POSITIVE_INFINITY,
  credential: 256,
  session: 16,
  cookie: 128,
};
/** Of the spellings in all tables, beyond which they are made anew of the newest secrets: some 8 MiB. */
const MAX_CHARACTERS = 512 * 1024;
/** How much of them each kind may bring along then. `setting`: all there are, argv has a limit of its own. */
const KEPT_CHARACTERS: Readonly<Record<SecretKind, number>> = {
  setting: Number.POSITIVE_INFINITY,
  credential: MAX_CHARACTERS / 2,
  session: MAX_CHARACTERS / 16,
  cookie: MAX_CHARACTERS / 16,
};
/**
 * What is looked at behind a limit, so that of a secret across it enough is seen: escaped twice, each character of a run takes twelve
 * (`%26%23x41%3B`).
 */
const BEHIND_LIMIT_CHARACTERS = 12 * WINDOW_CHARACTERS;

export function createRedactor(): Redactor {
  const secrets: Readonly<Record<SecretKind, Set<string>>> = {
    setting: new Set(),
    credential: new Set(),
    session: new Set(),
    cookie: new Set(),
  };
  let tables = new Map<number, SecretWindows>();
  /** What is in the tables, and what will be before the next look: most of a program's secrets never meet a text. */
  let tabled = new Set<string>();
  const waiting = new Set<string>();
  /** Characters of all spellings in the tables, and how many there may be. */
  let entered = 0;
  let most = MAX_CHARACTERS;
  let steps = 0;
  /** The tables hold what has been forgotten. */
  let isStale = false;

  const enter = (secret: string): void => {
    if (tabled.has(secret)) return;
    tabled.add(secret);
    for (const spelling of spellingsOf(secret)) {
      const length = Math.min(spelling.length, WINDOW_CHARACTERS);
      const table = tables.get(length) ?? new SecretWindows(length);
      tables.set(length, table);
      table.addAll(spelling);
      entered += spelling.length;
    }
  };
  const renew = (): void => {
    steps += stepsOf(tables);
    isStale = false;
    tables = new Map();
    tabled = new Set();
    entered = 0;
    for (const kind of ['setting', 'session', 'cookie', 'credential'] as const) {
      const end = entered + KEPT_CHARACTERS[kind];
      for (const secret of [...secrets[kind]].reverse()) {
        if (entered < end) enter(secret);
        else secrets[kind].delete(secret);
      }
      if (kind === 'setting') most = entered + MAX_CHARACTERS;
    }
  };
  const update = (): void => {
    let coming = 0;
    for (const secret of waiting) coming += mostCharacters(secret);
    if (isStale || entered + coming > most) renew();
    else for (const secret of waiting) enter(secret);
    waiting.clear();
  };

  const redactRegistered = (whole: string, limit = whole.length): string => {
    if (waiting.size > 0 || isStale) update();
    if (tables.size === 0) return whole.slice(0, limit);
    return withoutRanges(whole, limit, rangesIn(whole.slice(0, limit + BEHIND_LIMIT_CHARACTERS), tables));
  };
  const redactNamed = (text: string, names: string): string =>
    text
      .replace(patterns(names).escapedJson, `$1${REDACTED}`)
      .replace(patterns(names).json, `$1${REDACTED}`)
      .replace(patterns(names).query, `$1${REDACTED}`)
      .replace(SCHEME, `$1${REDACTED}`);

  return {
    add(secret, kind = 'credential') {
      const all = secrets[kind];
      for (const each of secretsIn(secret.slice(0, SECRET_MAX_CHARACTERS))) {
        if (each.length < SECRET_MIN_CHARACTERS) continue;
        all.delete(each);
        all.add(each);
        if (!tabled.has(each)) waiting.add(each);
      }
      for (const oldest of all) {
        if (all.size <= MAX_SECRETS[kind]) break;
        all.delete(oldest);
        waiting.delete(oldest);
      }
    },
    forget(secret) {
      for (const each of secretsIn(secret)) {
        for (const all of Object.values(secrets)) all.delete(each);
        waiting.delete(each);
        isStale ||= tabled.has(each);
      }
    },
    redact: (text, limit) => redactNamed(redactRegistered(text, limit), LOG_NAMES),
    redactForPerson: (text, limit) => redactNamed(redactRegistered(text, limit), PERSON_NAMES),
    redactRegistered,
    get steps() {
      return steps + stepsOf(tables);
    },
  };
}

function stepsOf(tables: ReadonlyMap<number, SecretWindows>): number {
  return [...tables.values()].reduce((sum, table) => sum + table.steps, 0);
}

/** Itself and four times in Base64, which is a third longer. */
function mostCharacters({ length }: string): number {
  return length > BASE64_MAX_CHARACTERS ? 2 * length : 7 * length;
}

type Range = readonly [start: number, end: number];

/** Where `text` holds something of the tables, in whatever spelling; in order. */
function rangesIn(text: string, tables: ReadonlyMap<number, SecretWindows>): Range[] {
  const ranges: Range[] = [];
  for (const copy of unescapedCopies(text)) {
    for (const [length, table] of tables) {
      table.find(copy.text, (start) => ranges.push(originalRange(copy, start, start + length)));
    }
  }
  return ranges.sort(([a], [b]) => a - b);
}

function withoutRanges(text: string, limit: number, ranges: readonly Range[]): string {
  let clean = '';
  let from = 0;
  for (const [start, end] of ranges) {
    if (start >= limit) break;
    // What touches or overlaps the one before belongs to it.
    if (start > from || from === 0) clean += text.slice(from, start) + REDACTED;
    from = Math.max(from, end);
  }
  return clean + text.slice(from, Math.max(from, limit));
}

/** A header's value holds its credential behind a scheme; what `Basic` wraps is a user name and a password (RFC 7617 §2). */
function secretsIn(text: string): string[] {
  const [, scheme, credential] = /^(\w+) +(\S+)$/.exec(text) ?? [];
  if (scheme === undefined || credential === undefined) return [text];
  if (scheme.toLowerCase() !== 'basic') return [text, credential];
  const pair = Buffer.from(credential, 'base64').toString('utf8');
  return [text, credential, pair, pair.slice(pair.indexOf(':') + 1)];
}

/** What cannot be had by taking back escapes: Base64, of the secret alone and as it stands within another text, at any of three offsets. */
function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  // A header's bytes are read as Latin-1.
  const plain = bytes.length === secret.length ? [secret] : [secret, bytes.toString('latin1')];
  if (secret.length > BASE64_MAX_CHARACTERS) return plain;
  const within = [0, 1, 2].map((offset) => {
    const coded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    // The first and the last group also hold bits of what stands beside it.
    return coded.slice(offset === 0 ? 0 : 4, -4);
  });
  const coded = [bytes.toString('base64').replace(/=+$/, ''), ...within];
  return [...plain, ...coded.filter((spelling) => spelling.length >= BASE64_MIN_CHARACTERS)];
}

/** RFC 9110 §11: a scheme and its token68. A `name="…"` after the scheme is a challenge and holds no secret; `--dpop` is a flag. */
const SCHEME = /\b(?<!--)((?:Bearer|Basic|DPoP)\s{1,4})(?=([\w.~+/-]+=*))\2(?!["'])/gi;

const PERSON_NAMES = [
  // `token_endpoint`, `token_type` and their like are names of places and kinds.
  '[\\w.-]{0,40}token(?![\\w.-]{0,40}(?:endpoint|type|method))[\\w.-]{0,40}',
  '[\\w.-]{0,40}(?:secret|passw(?:or)?d|assertion|api[_-]?key|signature)[\\w.-]{0,40}',
  'key',
  'code',
  'code_verifier',
  'device_code',
  'authorization',
  '(?:set-)?cookie',
].join('|');
const LOG_NAMES = `${PERSON_NAMES}|state`;

interface Patterns {
  readonly json: RegExp;
  readonly escapedJson: RegExp;
  readonly query: RegExp;
}

const compiled = new Map<string, Patterns>();

/** Each matches up to the value in its first group and then the value; none can backtrack over more than a name's length. */
function patterns(names: string): Patterns {
  let found = compiled.get(names);
  if (found === undefined) {
    found = {
      json: new RegExp(`("(?:${names})"\\s{0,8}:\\s{0,8}")(?:[^"\\\\]|\\\\.)*`, 'gi'),
      escapedJson: new RegExp(`(\\\\"(?:${names})\\\\"\\s{0,8}:\\s{0,8}\\\\")[^"\\\\]*`, 'gi'),
      query: new RegExp(`((?:^|[?&;#\\s"'(,])(?:${names})=)(?!…)[^&\\s"'#;),]+`, 'gi'),
    };
    compiled.set(names, found);
  }
  return found;
}
