import { randomBytes } from 'node:crypto';

/**
 * The length of the runs by which a longer secret is recognized: every run of this many characters of it is searched for, so that a secret cut at
 * any place leaves at most one character fewer than this. Of a token with 256 bits of randomness at least 110 then stay unknown. Shorter
 * secrets are searched for as a whole: a shorter run says little, and tool names in a user's header could be mistaken for one.
 */
export const WINDOW_CHARACTERS = 24;

/** The slots of a new table. A power of two, like each later size. */
const FIRST_SLOTS = 256;

const FOLDED = Uint8Array.from({ length: 128 }, (_, code) => folded(code));

/**
 * Maps variants of a character to the same code: upper and lower case (media types are lower-cased), `+` and the blank that it encodes in a
 * form, the two alphabets of Base64 (RFC 4648 §5).
 */
function folded(code: number): number {
  const character = String.fromCharCode(code);
  if (character === '+' || character === '-') return 0x20;
  if (character === '_') return 0x2f;
  return character.toLowerCase().charCodeAt(0);
}

/** Unpredictable, so that no server can choose tokens that collide. Odd, since otherwise the first characters of a run would not count. */
const BASE = randomBytes(4).readUInt32LE() | 1;
const OTHER_BASE = randomBytes(4).readUInt32LE() | 1;

/**
 * A set of texts of one length, stored as 52-bit hashes. Searching a text takes one lookup per character, however many texts are in the set
 * (Rabin-Karp). A collision, once in some 10^9 characters, removes a text that is not a secret; no secret is missed.
 */
export class SecretWindows {
  readonly length: number;
  /** How many slots were read: a measure of the cost that does not depend on the load of the machine. */
  steps = 0;
  #slots = new Float64Array(FIRST_SLOTS);
  #size = 0;

  constructor(length: number) {
    this.length = length;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds each run of `length` characters in `text`. */
  addAll(text: string): void {
    this.#roll(text, (hash) => {
      if (2 * this.#size >= this.#slots.length) this.#grow();
      const slot = this.#slotOf(hash);
      if (this.#slots[slot] === 0) this.#size++;
      this.#slots[slot] = hash;
    });
  }

  /** Calls `found` with the start of each run in `text` that is in the set. */
  find(text: string, found: (start: number) => void): void {
    if (this.#size === 0) return;
    this.#roll(text, (hash, start) => {
      if (this.#slots[this.#slotOf(hash)] === hash) found(start);
    });
  }

  #roll(text: string, visit: (hash: number, start: number) => void): void {
    const { length } = this;
    if (text.length < length) return;
    let one = 0;
    let other = 0;
    // The factor of the character that leaves the run.
    let leaving = 1;
    let otherLeaving = 1;
    for (let n = 1; n < length; n++) {
      leaving = Math.imul(leaving, BASE);
      otherLeaving = Math.imul(otherLeaving, OTHER_BASE);
    }
    for (let at = 0; at < text.length; at++) {
      if (at >= length) {
        const left = codeAt(text, at - length);
        one = (one - Math.imul(left, leaving)) | 0;
        other = (other - Math.imul(left, otherLeaving)) | 0;
      }
      const code = codeAt(text, at);
      one = (Math.imul(one, BASE) + code) | 0;
      other = (Math.imul(other, OTHER_BASE) + code) | 0;
      // 0 stands for an empty slot.
      if (at >= length - 1) visit((one >>> 0) * 0x10_0000 + (other >>> 12) || 1, at - length + 1);
    }
  }

  /** The slot in which `hash` is or would be. */
  #slotOf(hash: number): number {
    const mask = this.#slots.length - 1;
    // Mixes both hashes: the lower bits of each depend only on the lower bits of the characters.
    let slot =
      (Math.imul(Math.floor(hash / 0x10_0000) ^ ((hash % 0x10_0000) << 12), 0x9e37_79b1) >>> 8) & mask;
    for (this.steps++; this.#slots[slot] !== 0 && this.#slots[slot] !== hash; this.steps++) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Float64Array(2 * before.length);
    for (const hash of before) if (hash !== 0) this.#slots[this.#slotOf(hash)] = hash;
  }
}

function codeAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (FOLDED[code] as number) : code;
}
