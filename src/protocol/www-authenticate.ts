/**
 * The `WWW-Authenticate` header (RFC 9110 §11.6.1). A response's header is read once, where the response is read; everything after that
 * works with the `BearerChallenge`, never with the text.
 *
 * The parser makes one pass over the header. A regular expression that backtracks would let a server keep the process busy
 * (.github/SECURITY.md, attack 19).
 */

/** Longer than any real header; Node's own limit for all headers together is the same. */
const MAX_HEADER_CHARACTERS = 16 * 1024;

/** One challenge of the header. */
export interface Challenge {
  /** As sent: `Bearer`, `DPoP`, `Basic` … */
  readonly scheme: string;
  readonly token68?: string;
  /** By lower-case name. If a name occurs twice, which the RFC forbids, the first one counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** What a 401 or 403 says about how to be authorized (RFC 6750 §3, RFC 9728 §5.1). Empty if the header has no challenge for a token. */
export interface BearerChallenge {
  scheme?: string;
  resourceMetadata?: string;
  scope?: string;
  /** The error code, which alone decides what the bridge does. */
  error?: string;
  /** Only for people: a server may write anything into it, even the codes of other errors. */
  errorDescription?: string;
  /** The server asks for a token that is bound to a key (RFC 9449 §7.1), and accepts no other. */
  dpop?: DpopChallenge;
  /** The error of a challenge with the scheme DPoP, whether or not the server accepts plain bearer tokens as well. */
  dpopError?: string;
}

/** What a DPoP challenge asks for. */
export interface DpopChallenge {
  /** The algorithms that may sign the proofs; absent if the server does not say. */
  readonly algs?: readonly string[];
}

/** All challenges of a `WWW-Authenticate` header, several field lines joined by commas. Malformed parts are left out. */
export function parseChallenges(header: string): Challenge[] {
  if (header.length > MAX_HEADER_CHARACTERS) return [];
  const challenges: { scheme: string; token68?: string; parameters: Map<string, string> }[] = [];
  const reader = new Reader(header);
  while (reader.skipSeparators()) {
    const name = reader.token();
    if (name === '') {
      reader.skipToComma();
      continue;
    }
    const current = challenges.at(-1);
    if (current !== undefined && reader.equalsSign()) {
      const value = reader.value();
      const key = name.toLowerCase();
      if (value !== undefined && !current.parameters.has(key)) current.parameters.set(key, value);
    } else {
      const token68 = reader.token68();
      challenges.push({
        scheme: name,
        parameters: new Map(),
        ...(token68 === undefined ? {} : { token68 }),
      });
    }
  }
  return challenges;
}

/**
 * The challenge that asks for an access token. Of several it is the one that asks for more scope, else the one that names its metadata, else
 * `Bearer` before `DPoP`.
 */
export function bearerChallenge(header: string | undefined): BearerChallenge {
  const fitting = parseChallenges(header ?? '').filter(({ scheme }) => /^(bearer|dpop)$/i.test(scheme));
  fitting.sort((one, other) => rank(one) - rank(other));
  const [challenge] = fitting;
  if (challenge === undefined) return {};
  const result: BearerChallenge = { scheme: challenge.scheme };
  const { parameters } = challenge;
  const resourceMetadata = parameters.get('resource_metadata');
  const scope = parameters.get('scope');
  const error = parameters.get('error');
  const errorDescription = parameters.get('error_description');
  if (resourceMetadata) result.resourceMetadata = resourceMetadata;
  if (scope) result.scope = scope;
  if (error) result.error = error;
  if (errorDescription) result.errorDescription = errorDescription;
  // RFC 9449 §7.2: if the server accepts a bearer token as well, that is enough.
  const bound = fitting.filter(({ scheme }) => scheme.toLowerCase() === 'dpop');
  if (bound.length === fitting.length) result.dpop = dpopChallenge(bound);
  const dpopError = bound.map((each) => each.parameters.get('error')).find(Boolean);
  if (dpopError) result.dpopError = dpopError;
  return result;
}

function dpopChallenge(challenges: readonly Challenge[]): DpopChallenge {
  const algs = challenges.map(({ parameters }) => parameters.get('algs')).find((each) => each !== undefined);
  return algs === undefined ? {} : { algs: algs.split(' ').filter((alg) => alg !== '') };
}

function rank({ scheme, parameters }: Challenge): number {
  const wantsScope = parameters.get('error') === 'insufficient_scope' ? 0 : 4;
  const named = parameters.has('resource_metadata') ? 0 : 2;
  return wantsScope + named + (scheme.toLowerCase() === 'bearer' ? 0 : 1);
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const TOKEN68 = /[A-Za-z0-9\-._~+/]/;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Skips commas and white space; false at the end. */
  skipSeparators(): boolean {
    this.#while((character) => character === ',' || character === ' ' || character === '\t');
    return this.#at < this.#text.length;
  }

  skipToComma(): void {
    this.#while((character) => character !== ',');
  }

  token(): string {
    return this.#while((character) => TOKEN.test(character));
  }

  /** Reads `=` with white space around it (BWS), which RFC 9110 §5.6.3 tells recipients to accept. */
  equalsSign(): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== '=') return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  /** Reads a token68, which is followed by a comma or the end; anything else is left to be read as parameters. */
  token68(): string | undefined {
    this.#skipSpace();
    const start = this.#at;
    const text = this.#while((character) => TOKEN68.test(character));
    const padding = this.#while((character) => character === '=');
    this.#skipSpace();
    const next = this.#text[this.#at];
    if (text !== '' && (next === undefined || next === ',')) return text + padding;
    this.#at = start;
    return undefined;
  }

  /** Reads a quoted string. Some servers leave out the quotes; the value then ends at white space or a comma. */
  value(): string | undefined {
    if (this.#text[this.#at] === '"') return this.#quotedString();
    return this.#while((character) => character !== ',' && character !== ' ' && character !== '\t');
  }

  #quotedString(): string | undefined {
    let value = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at];
      if (character === '"') {
        this.#at++;
        return value;
      }
      if (character === '\\') this.#at++;
      value += this.#text[this.#at] ?? '';
    }
    return undefined;
  }

  #skipSpace(): void {
    this.#while((character) => character === ' ' || character === '\t');
  }

  #while(belongs: (character: string) => boolean): string {
    const start = this.#at;
    while (this.#at < this.#text.length && belongs(this.#text[this.#at] as string)) this.#at++;
    return this.#text.slice(start, this.#at);
  }
}
