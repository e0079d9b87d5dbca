const LF = 0x0a;
const CR = 0x0d;

/** Lines of at least this length stay bytes: a string would be a second copy of them, and encoding it for the host a third. */
export const LONG_LINE_BYTES = 64 * 1024;

/** Whole lines with their line breaks, or one long line without its line break. */
export type Piece = { readonly isLong: boolean; readonly bytes: Buffer };

/**
 * Cuts a stream of bytes at line ends (LF, CR or both; HTML §9.2.5), so that each piece can be decoded by itself. The beginning of an unfinished
 * line is held back.
 */
export class LongLines {
  #parts: Uint8Array[] = [];
  #heldBytes = 0;

  /** The length of the unfinished line. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  push(chunk: Uint8Array): readonly Piece[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const pieces: Piece[] = [];
    let from = 0;
    if (this.#heldBytes > 0) {
      from = firstEnd(bytes);
      this.#hold(from === -1 ? bytes : bytes.subarray(0, from));
      if (from === -1) return [];
      pieces.push({ isLong: this.#heldBytes >= LONG_LINE_BYTES, bytes: this.#line() });
    }
    const end = Math.max(bytes.lastIndexOf(LF), bytes.lastIndexOf(CR)) + 1;
    if (end > from) pieces.push({ isLong: false, bytes: bytes.subarray(from, end) });
    this.#hold(bytes.subarray(Math.max(end, from)));
    return pieces;
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#heldBytes += part.length;
  }

  #line(): Buffer {
    const line = Buffer.concat(this.#parts, this.#heldBytes);
    this.#parts = [];
    this.#heldBytes = 0;
    return line;
  }
}

function firstEnd(bytes: Buffer): number {
  const feed = bytes.indexOf(LF);
  const carriage = (feed === -1 ? bytes : bytes.subarray(0, feed)).indexOf(CR);
  return carriage === -1 ? feed : carriage;
}
