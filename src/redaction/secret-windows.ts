import { randomBytes } from 'node:crypto';

/**
 * Of a longer secret every run of this many characters is looked for, so that no cut, wherever it was made, leaves more than one
 * character less: of a token with 256 bits of randomness at least 110 stay unknown. Of shorter ones a run says little, and tool names
 * and the like in a user's header would be taken for it; so those are looked for whole.
 */
export const WINDOW_CHARACTERS = 24;

/** The slots of a new table. A power of two, as each later size is. */
const FIRST_SLOTS = 256;

const FOLDED = Uint8Array.from({ length: 128 }, (_, code) => folded(code));

/**
 * Spellings that differ in one character each are the same here: upper and lower case (a media type is lowered), `+` and the blank that
 * it stands for in a form, the two alphabets of Base64 (RFC 4648 §5).
 */
function folded(code: number): number {
  const character = String.fromCharCode(code);
  if (character === '+' || character === '-') return 0x20;
  if (character === '_') return 0x2f;
  return character.toLowerCase().charCodeAt(0);
}

/** Unpredictable, so that no server can choose tokens that collide. Odd: otherwise the first characters of a run would not count. */
const BASE = randomBytes(4).readUInt32LE() | 1;
const OTHER_BASE = randomBytes(4).readUInt32LE() | 1;

/**
 * Texts of one length, each as a 52-bit hash: whether a text of any length holds one of them takes one look for each of its characters,
 * however many there are (Rabin-Karp). A collision removes what is no secret, once in some 10^9 characters; nothing is missed.
 */
export class SecretWindows {
  readonly length: number;
  /** How many slots were looked at: what it costs, in a number that no loaded machine changes. */
  steps = 0;
  #slots = new Float64Array(FIRST_SLOTS);
  #size = 0;

  constructor(length: number) {
    this.length = length;
  }

  get size(): number {
    return this.#size;
  }

  /** Each run of `length` characters in `text`. */
  addAll(text: string): void {
    this.#roll(text, (hash) => {
      if (2 * this.#size >= this.#slots.length) this.#grow();
      const slot = this.#slotOf(hash);
      if (this.#slots[slot] === 0) this.#size++;
      this.#slots[slot] = hash;
    });
  }

  /** Calls back with the start of each run in `text` that is one of the texts. */
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
    // What the character that leaves the run was multiplied with.
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

  /** Where `hash` is, or would be. */
  #slotOf(hash: number): number {
    const mask = this.#slots.length - 1;
    // The lower bits of either hash depend on the lower bits of the characters alone.
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
  // Never 0: with one in front a run would hash as the rest of it.
  return (code < 128 ? (FOLDED[code] as number) : code) + 1;
}
