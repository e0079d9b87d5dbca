import { SecretWindows, WINDOW_CHARACTERS } from './secret-windows.ts';
import { originalRange, unescapedCopies } from './unescaped.ts';

/**
 * Decides how long a secret is redacted. `setting`, which the user gave: always. Of the other kinds only the newest secrets are kept:
 * `credential` (tokens and what belongs to them), `session` (session ids), `cookie` (which a server may change with every response).
 */
export type SecretKind = 'setting' | 'credential' | 'session' | 'cookie';

/**
 * The last line of defence against secrets in a log or in a message to the host: registered secrets are removed in every likely encoding, and
 * values that look like secrets are removed because of the name next to them. Nothing here throws.
 *
 * With `limit` only that many characters of the text are returned. The text is cut after the removal, so that no part of a secret is left at the
 * cut. The rest is not processed and costs nothing.
 */
export interface Redactor {
  /** Registers a secret; a secret added again becomes the newest of its kind. */
  add(secret: string, kind?: SecretKind): void;
  /** Removes a text that turned out not to be a secret. */
  forget(secret: string): void;
  /** For logs: removes registered secrets, credentials after a scheme, and the values of names such as `token`. */
  redact(text: string, limit?: number): string;
  /** For a person who has to open an address: the same, but keeps `state`, without which the sign-in cannot complete. */
  redactForPerson(text: string, limit?: number): string;
  /** Removes registered secrets only. */
  redactRegistered(text: string, limit?: number): string;
  /** The cost of all calls so far, in table lookups. */
  readonly steps: number;
}

const REDACTED = '[redacted]';
/** Shorter texts are words that occur everywhere, and too short to protect anything. */
const SECRET_MIN_CHARACTERS = 6;
/** No server accepts a header of this length (Node: 16 KiB in all). Of a longer secret only the beginning is redacted. */
const SECRET_MAX_CHARACTERS = 64 * 1024;
/** Passwords and keys occur in Base64 (RFC 7617 §2). A longer token is never part of a `Basic` header. */
const BASE64_MAX_CHARACTERS = 2 * 1024;
/** A shorter piece of Base64 may occur anywhere by chance. */
const BASE64_MIN_CHARACTERS = 8;
/** Enough for a process that refreshes every few minutes for weeks: the oldest tokens have long expired. */
const MAX_SECRETS: Readonly<Record<SecretKind, number>> = {
  setting: Number.POSITIVE_INFINITY,
  credential: 256,
  session: 16,
  cookie: 128,
};
/** The limit for all spellings in the tables (some 8 MiB of memory); beyond it the tables are rebuilt from the newest secrets. */
const MAX_CHARACTERS = 512 * 1024;
/** How many characters of each kind are kept in a rebuild. `setting`: all, since the length of argv is limited anyway. */
const KEPT_CHARACTERS: Readonly<Record<SecretKind, number>> = {
  setting: Number.POSITIVE_INFINITY,
  credential: MAX_CHARACTERS / 2,
  session: MAX_CHARACTERS / 16,
  cookie: MAX_CHARACTERS / 16,
};
/**
 * How much text after the limit is searched, so that a secret that crosses the limit is recognized: escaped twice, each character of a run
 * takes twelve (`%26%23x41%3B`).
 */
const BEHIND_LIMIT_CHARACTERS = 12 * WINDOW_CHARACTERS;

/** Creates a redactor without secrets. */
export function createRedactor(): Redactor {
  const secrets: Readonly<Record<SecretKind, Set<string>>> = {
    setting: new Set(),
    credential: new Set(),
    session: new Set(),
    cookie: new Set(),
  };
  let tables = new Map<number, SecretWindows>();
  /** The secrets in the tables. Those in `waiting` are entered before the next search, since many secrets are replaced before any text is searched. */
  let tabled = new Set<string>();
  const waiting = new Set<string>();
  /** The characters of all spellings in the tables, and the limit for them. */
  let entered = 0;
  let most = MAX_CHARACTERS;
  let steps = 0;
  /** The tables contain a secret that was forgotten. */
  let isStale = false;

  const enter = (secret: string): void => {
    if (tabled.has(secret)) return;
    tabled.add(secret);
    const spellings = spellingsOf(secret);
    for (const spelling of spellings) {
      const length = Math.min(spelling.length, WINDOW_CHARACTERS);
      const table = tables.get(length) ?? new SecretWindows(length);
      tables.set(length, table);
      table.addAll(spelling);
    }
    entered += charactersOf(spellings);
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
    for (const secret of waiting) coming += charactersOf(spellingsOf(secret));
    if (isStale || entered + coming > most) renew();
    else for (const secret of waiting) enter(secret);
    waiting.clear();
  };

  const redactRegistered = (whole: string, limit = whole.length): string => {
    if (waiting.size > 0 || isStale) update();
    if (tables.size === 0) return whole.slice(0, limit);
    return withoutRanges(whole, limit, rangesIn(whole.slice(0, limit + BEHIND_LIMIT_CHARACTERS), tables));
  };
  const redactNamed = (text: string, { escapedJson, json, query }: Patterns): string =>
    text
      .replace(escapedJson, `$1${REDACTED}`)
      .replace(json, `$1${REDACTED}`)
      .replace(query, `$1${REDACTED}`)
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
    redact: (text, limit) => redactNamed(redactRegistered(text, limit), LOG_PATTERNS),
    redactForPerson: (text, limit) => redactNamed(redactRegistered(text, limit), PERSON_PATTERNS),
    redactRegistered,
    get steps() {
      return steps + stepsOf(tables);
    },
  };
}

function stepsOf(tables: ReadonlyMap<number, SecretWindows>): number {
  return [...tables.values()].reduce((sum, table) => sum + table.steps, 0);
}

function charactersOf(spellings: readonly string[]): number {
  return spellings.reduce((sum, { length }) => sum + length, 0);
}

type Range = readonly [start: number, end: number];

/** The ranges of `text` that contain an entry of the tables in any encoding, in order. */
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
    // A range that touches or overlaps the one before is part of it.
    if (start > from || from === 0) clean += text.slice(from, start) + REDACTED;
    from = Math.max(from, end);
  }
  return clean + text.slice(from, Math.max(from, limit));
}

/** The secrets in a header's value: the credential after the scheme, and with `Basic` the user name and password in it (RFC 7617 §2). */
function secretsIn(text: string): string[] {
  const [, scheme, credential] = /^(\w+) +(\S+)$/.exec(text) ?? [];
  if (scheme === undefined || credential === undefined) return [text];
  if (scheme.toLowerCase() !== 'basic') return [text, credential];
  const pair = Buffer.from(credential, 'base64').toString('utf8');
  return [text, credential, pair, pair.slice(pair.indexOf(':') + 1)];
}

/** The spellings that unescaping does not find: Base64 of the secret alone, and within a longer text at each of three offsets. */
function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  // Node reads the bytes of a header as Latin-1.
  const plain = bytes.length === secret.length ? [secret] : [secret, bytes.toString('latin1')];
  if (secret.length > BASE64_MAX_CHARACTERS) return plain;
  const within = [0, 1, 2].map((offset) => {
    const coded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    // The first and the last group also contain bits of the neighbouring text.
    return coded.slice(offset === 0 ? 0 : 4, -4);
  });
  const coded = [bytes.toString('base64').replace(/=+$/, ''), ...within];
  return [...plain, ...coded.filter((spelling) => spelling.length >= BASE64_MIN_CHARACTERS)];
}

/** RFC 9110 §11: a scheme and its token68. A `name="…"` after the scheme is a challenge and not a secret; `--dpop` is a flag. */
const SCHEME = /\b(?<!--)((?:Bearer|Basic|DPoP)\s{1,4})(?=([\w.~+/-]+=*))\2(?!["'])/gi;

const PERSON_NAMES = [
  // `token_endpoint`, `token_type` and the like do not contain tokens.
  '[\\w.-]{0,40}token(?![\\w.-]{0,40}(?:endpoint|type|method))[\\w.-]{0,40}',
  '[\\w.-]{0,40}(?:secret|passw(?:or)?d|assertion|api[_-]?key|signature)[\\w.-]{0,40}',
  'key',
  'code',
  'code_verifier',
  'device_code',
  'authorization',
  '(?:set-)?cookie',
].join('|');

interface Patterns {
  readonly json: RegExp;
  readonly escapedJson: RegExp;
  readonly query: RegExp;
}

const PERSON_PATTERNS = patternsOf(PERSON_NAMES);
const LOG_PATTERNS = patternsOf(`${PERSON_NAMES}|state`);

/** Each pattern matches the text before the value as its first group, then the value. None can backtrack over more than the length of a name. */
function patternsOf(names: string): Patterns {
  return {
    json: new RegExp(`("(?:${names})"\\s{0,8}:\\s{0,8}")(?:[^"\\\\]|\\\\.)*`, 'gi'),
    escapedJson: new RegExp(`(\\\\"(?:${names})\\\\"\\s{0,8}:\\s{0,8}\\\\")[^"\\\\]*`, 'gi'),
    query: new RegExp(`((?:^|[?&;#\\s"'(,])(?:${names})=)(?!…)[^&\\s"'#;),]+`, 'gi'),
  };
}
