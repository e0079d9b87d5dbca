import { BadReplyError } from './errors.ts';

/** A cell of 300 KiB with the overhead of sealing, in bytes. */
const MAX_BULK_BYTES = 384 * 1024;
/** The largest expected reply is one cell with some numbers. */
const MAX_REPLY_BYTES = 512 * 1024;
/** Status lines and errors. */
const MAX_LINE_BYTES = 4 * 1024;
/** A Sentinel describes each of the others with some forty strings. */
const MAX_ELEMENTS = 256;
/** A list of Sentinels is two levels deep. */
const MAX_DEPTH = 3;

const CR = 13;
const LF = 10;
const LENGTH = /^(?:-1|\d{1,9})$/;
const INTEGER = /^-?\d{1,19}$/;

/**
 * Checks a stream of replies (RESP2) and rejects what the client's parser would read whole whatever its size: a reply that is announced or grows beyond any
 * expected one, endlessly nested arrays, and anything that is not a reply.
 */
export class ReplyGuard {
  /** Of the current bulk string, with its line end. */
  #bulkLeft = 0;
  #line: Uint8Array = new Uint8Array(0);
  /** The number of elements still to come, for each open array. */
  readonly #arrays: number[] = [];
  #replyBytes = 0;

  /** Checks the next bytes before they are passed on. Throws BadReplyError; after that the stream is unusable. */
  check(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const start = at;
      at = this.#bulkLeft > 0 ? this.#skipBulk(chunk, at) : this.#readLine(chunk, at);
      this.#replyBytes += at - start;
      if (this.#replyBytes > MAX_REPLY_BYTES) throw new BadReplyError('an answer that is too large');
      if (this.#bulkLeft === 0 && this.#line.length === 0 && this.#arrays.length === 0) this.#replyBytes = 0;
    }
  }

  #skipBulk(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#bulkLeft, chunk.length - at);
    this.#bulkLeft -= taken;
    if (this.#bulkLeft === 0) this.#endElement();
    return at + taken;
  }

  #readLine(chunk: Uint8Array, at: number): number {
    const found = chunk.indexOf(LF, at);
    const end = found === -1 ? chunk.length : found + 1;
    if (this.#line.length + end - at > MAX_LINE_BYTES) throw new BadReplyError('a line that is too long');
    this.#line = Buffer.concat([this.#line, chunk.subarray(at, end)]);
    if (found !== -1) {
      const line = this.#line;
      this.#line = new Uint8Array(0);
      this.#takeLine(line);
    }
    return end;
  }

  #takeLine(line: Uint8Array): void {
    // The parser ends a line at its first CR, so there may be no other.
    if (line.indexOf(CR) !== line.length - 2) throw new BadReplyError('a line without its end');
    const type = String.fromCharCode(line[0] ?? 0);
    const rest = Buffer.from(line.subarray(1, -2)).toString('latin1');
    if (type === '+' || type === '-' || (type === ':' && INTEGER.test(rest))) return this.#endElement();
    if ((type !== '$' && type !== '*') || !LENGTH.test(rest)) throw new BadReplyError('no answer of Redis');
    const length = Number(rest);
    if (type === '$') {
      if (length > MAX_BULK_BYTES) throw new BadReplyError(`an answer of ${length} bytes`);
      if (length === -1) this.#endElement();
      else this.#bulkLeft = length + 2;
    } else {
      if (length > MAX_ELEMENTS) throw new BadReplyError(`an answer of ${length} parts`);
      if (length <= 0) this.#endElement();
      else if (this.#arrays.push(length) > MAX_DEPTH) throw new BadReplyError('an answer that is too deep');
    }
  }

  /** One element is complete, and perhaps the arrays that it ends. */
  #endElement(): void {
    for (let last = this.#arrays.length - 1; last >= 0; last--) {
      const left = (this.#arrays[last] ?? 0) - 1;
      if (left > 0) {
        this.#arrays[last] = left;
        return;
      }
      this.#arrays.pop();
    }
  }
}
