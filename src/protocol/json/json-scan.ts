/**
 * Reads the top level of a large JSON object without building values for the rest. A message that is relayed as bytes need not be parsed: for an
 * answer of 32 MB, parsing takes longer than relaying it and three times its size in memory. The whole text is still checked (RFC 8259), so
 * that the host never gets a line that is not JSON.
 */

/**
 * The start and end of each top-level member's value. `not-json`: `JSON.parse` would refuse the text too. `unknown`: the scanner cannot tell, and
 * `JSON.parse` has to decide.
 */
export type Scanned = ReadonlyMap<string, readonly [start: number, end: number]> | 'not-json' | 'unknown';

/** Deeper than any real message. A deeper one is left to `JSON.parse`, which does not recurse either. */
const MAX_DEPTH = 1_000;
/** No name that we look for is longer. */
const MAX_NAME_BYTES = 256;

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const FIRST_PRINTABLE = 0x20;
const LOWER_U = 0x75;

const LITERALS = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]));
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));

class NotJson extends Error {}

/** Scans a text in UTF-8. A text that does not begin with an object is `unknown`. Never throws. */
export function scanObject(bytes: Buffer): Scanned {
  try {
    return new Scanner(bytes).topLevel();
  } catch (error) {
    if (error instanceof NotJson) return 'not-json';
    throw error;
  }
}

class Scanner {
  readonly #bytes: Buffer;
  readonly #members = new Map<string, readonly [number, number]>();
  /** The same bytes as 32-bit words, to scan long strings faster; a `Buffer` from the pool need not begin at a multiple of four. */
  readonly #words: Int32Array;
  readonly #wordsFrom: number;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#wordsFrom = (4 - (bytes.byteOffset % 4)) % 4;
    const words = Math.max(0, (bytes.length - this.#wordsFrom) >> 2);
    this.#words = new Int32Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset + this.#wordsFrom, words);
  }

  topLevel(): Scanned {
    const bytes = this.#bytes;
    this.#skipBlanks();
    if (bytes[this.#at] !== OPEN_OBJECT) return 'unknown';
    // Whether each open container is an object; the message itself is the first.
    const objects: boolean[] = [];
    let name = '';
    let from = 0;
    for (let value = true; ; ) {
      this.#skipBlanks();
      const byte = bytes[this.#at];
      if (value && (byte === OPEN_OBJECT || byte === OPEN_ARRAY)) {
        if (objects.length === MAX_DEPTH) return 'unknown';
        if (objects.length === 1) from = this.#at;
        this.#at++;
        objects.push(byte === OPEN_OBJECT);
        this.#skipBlanks();
        if (bytes[this.#at] !== (byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) {
          if (byte === OPEN_OBJECT) name = this.#name(objects.length, name);
          continue;
        }
      } else if (value) {
        if (objects.length === 1) from = this.#at;
        this.#scalar(byte);
        value = false;
        if (objects.length === 1) this.#members.set(name, [from, this.#at]);
        continue;
      }
      // After a value, or at the end of an empty container.
      value = false;
      const isObject = objects[objects.length - 1] as boolean;
      const next = bytes[this.#at];
      if (next === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        this.#at++;
        objects.pop();
        if (objects.length === 1) this.#members.set(name, [from, this.#at]);
        if (objects.length === 0) return this.#end();
      } else if (next === COMMA) {
        this.#at++;
        if (isObject) name = this.#name(objects.length, name);
        value = true;
      } else throw new NotJson();
    }
  }

  #end(): Scanned {
    this.#skipBlanks();
    if (this.#at !== this.#bytes.length) throw new NotJson();
    return this.#members;
  }

  /** Reads a member's name and the colon; returns the name on the first level only, otherwise `before`. */
  #name(depth: number, before: string): string {
    this.#skipBlanks();
    const from = this.#at;
    if (this.#bytes[from] !== QUOTE) throw new NotJson();
    this.#string();
    const end = this.#at;
    this.#skipBlanks();
    if (this.#bytes[this.#at] !== COLON) throw new NotJson();
    this.#at++;
    if (depth > 1) return before;
    if (end - from > MAX_NAME_BYTES) return '';
    return JSON.parse(this.#bytes.toString('utf8', from, end)) as string;
  }

  #scalar(first: number | undefined): void {
    if (first === QUOTE) return this.#string();
    const bytes = this.#bytes;
    const literal = LITERALS.get(first ?? 0);
    if (literal !== undefined) {
      for (const byte of literal) if (bytes[this.#at++] !== byte) throw new NotJson();
      return;
    }
    const from = this.#at;
    // Digits, `+ - . e E`: checked as a whole, since numbers are short.
    for (let byte = bytes[this.#at] ?? 0; isOfNumber(byte); byte = bytes[this.#at] ?? 0) this.#at++;
    if (!NUMBER.test(bytes.toString('latin1', from, this.#at))) throw new NotJson();
  }

  #string(): void {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    for (;;) {
      at = this.#plainUntil(at);
      const byte = bytes[at];
      if (byte === QUOTE) break;
      // A raw control character, or the end of the text.
      if (byte !== BACKSLASH) throw new NotJson();
      const escaped = bytes[at + 1] ?? 0;
      if (escaped === LOWER_U) {
        if (!/^[\da-f]{4}$/i.test(bytes.toString('latin1', at + 2, at + 6))) throw new NotJson();
        at += 6;
      } else if (ESCAPED.has(escaped)) at += 2;
      else throw new NotJson();
    }
    this.#at = at + 1;
  }

  /** The index of the first quote, backslash or control character from `from` on, or the end of the text. */
  #plainUntil(from: number): number {
    const bytes = this.#bytes;
    const { length } = bytes;
    let at = from;
    while (at < length && (at - this.#wordsFrom) & 3) {
      if (isSpecial(bytes[at] as number)) return at;
      at++;
    }
    const words = this.#words;
    let word = (at - this.#wordsFrom) >> 2;
    // Four bytes at once ("haszero" of Bit Twiddling Hacks): the loop ends at a word with a special byte, or sometimes a false positive after one.
    for (; word >= 0 && word < words.length; word++) {
      const four = words[word] as number;
      const quote = four ^ 0x22222222;
      const backslash = four ^ 0x5c5c5c5c;
      const found =
        ((four - 0x20202020) & ~four) |
        ((quote - 0x01010101) & ~quote) |
        ((backslash - 0x01010101) & ~backslash);
      if ((found & 0x80808080) !== 0) break;
    }
    if (word >= 0) at = Math.max(at, this.#wordsFrom + word * 4);
    while (at < length && !isSpecial(bytes[at] as number)) at++;
    return at;
  }

  #skipBlanks(): void {
    const bytes = this.#bytes;
    for (let byte = bytes[this.#at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; ) {
      this.#at++;
      byte = bytes[this.#at];
    }
  }
}

function isSpecial(byte: number): boolean {
  return byte === QUOTE || byte === BACKSLASH || byte < FIRST_PRINTABLE;
}

function isOfNumber(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65
  );
}

/** Whether the brackets of a JSON text nest deeper than `limit`, determined without recursion (.github/SECURITY.md, attack 17). */
export function isNestedDeeper(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) {
          if (text.charCodeAt(at) === BACKSLASH) at++;
        }
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > limit) return true;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
    }
  }
  return false;
}

/**
 * The members of a JSON array that is known to be valid, as the bytes in which they were sent: parsing and serializing them again would lose big
 * integers and key order.
 */
export function splitBatch(array: Uint8Array): Uint8Array[] {
  const members: Uint8Array[] = [];
  let depth = 0;
  let inString = false;
  let start = 0;
  for (let at = 0; at < array.length; at++) {
    const byte = array[at] as number;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth++;
      if (depth === 1) start = at + 1;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth--;
      if (depth === 0) members.push(array.subarray(start, at));
    } else if (byte === COMMA && depth === 1) {
      members.push(array.subarray(start, at));
      start = at + 1;
    }
  }
  return members;
}
