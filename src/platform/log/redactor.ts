/**
 * The last line of defence against a secret in a log (THREATS 41): what was registered is removed in every spelling it is
 * likely to take, and what looks like a secret is removed by the name next to it.
 */
export interface Redactor {
  /** From now on this text, and its percent-encoded and Base64 forms, are removed. */
  add(secret: string): void;
  /** For logs: registered secrets, credentials by scheme, values of telling names. */
  redact(text: string): string;
  /** For a person who has to open an address: the same, but its `state` stays, without which the sign-in cannot end. */
  redactForPerson(text: string): string;
  /** Registered secrets alone, for text that was put together from redacted parts. */
  redactRegistered(text: string): string;
}

const REDACTED = '[redacted]';
/** Shorter texts are words that occur everywhere; nothing that short keeps anybody out. */
const SECRET_MIN_CHARACTERS = 6;
/** A session that refreshes every few minutes for weeks: the oldest tokens are long dead. */
const MAX_SPELLINGS = 1024;

export function createRedactor(): Redactor {
  const spellings = new Set<string>();
  let registered: RegExp | undefined;

  const redactRegistered = (text: string): string => {
    if (spellings.size === 0) return text;
    registered ??= new RegExp(
      [...spellings]
        .sort((a, b) => b.length - a.length)
        .map(escapeRegExp)
        .join('|'),
      'g',
    );
    return text.replace(registered, REDACTED);
  };
  const redactNamed = (text: string, names: string): string =>
    text
      .replace(patterns(names).escapedJson, `$1${REDACTED}`)
      .replace(patterns(names).json, `$1${REDACTED}`)
      .replace(patterns(names).query, `$1${REDACTED}`)
      .replace(SCHEME, `$1${REDACTED}`);

  return {
    add(secret) {
      for (const each of secretsIn(secret)) {
        if (each.length < SECRET_MIN_CHARACTERS) continue;
        for (const spelling of spellingsOf(each)) {
          spellings.delete(spelling); // added anew, it is the newest
          spellings.add(spelling);
        }
      }
      for (const oldest of spellings) {
        if (spellings.size <= MAX_SPELLINGS) break;
        spellings.delete(oldest);
      }
      registered = undefined;
    },
    redact: (text) => redactNamed(redactRegistered(text), LOG_NAMES),
    redactForPerson: (text) => redactNamed(redactRegistered(text), PERSON_NAMES),
    redactRegistered,
  };
}

/** A header's value holds its credential behind a scheme; what `Basic` wraps is a user name and a password (RFC 7617 §2). */
function secretsIn(text: string): string[] {
  const [, scheme, credential] = /^(\w+) +(\S+)$/.exec(text) ?? [];
  if (scheme === undefined || credential === undefined) return [text];
  if (scheme.toLowerCase() !== 'basic') return [text, credential];
  const pair = Buffer.from(credential, 'base64').toString('utf8');
  return [text, credential, pair, pair.slice(pair.indexOf(':') + 1)];
}

function spellingsOf(secret: string): Set<string> {
  const bytes = Buffer.from(secret, 'utf8');
  const percent = encodeURIComponent(bytes.toString('utf8')); // through bytes: a lone surrogate would throw
  return new Set([
    secret,
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
    percent.replaceAll('%20', '+'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    JSON.stringify(secret).slice(1, -1),
  ]);
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

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
      query: new RegExp(`((?:^|[?&;#\\s"'(,])(?:${names})=)[^&\\s"'#;),]+`, 'gi'),
    };
    compiled.set(names, found);
  }
  return found;
}
