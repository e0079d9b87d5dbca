/** A line from the host: its bytes without the line break, or a note that the line exceeded the limit. */
export type HostLine =
  | { readonly kind: 'line'; readonly bytes: Uint8Array }
  | { readonly kind: 'too-long'; readonly limitBytes: number };

const LF = 0x0a;
const CR = 0x0d;

/**
 * Splits the host's bytes at `\n` (specification, Transports → stdio: messages are delimited by newlines and contain none). It works on bytes,
 * so that a character that the pipe cuts in two stays whole. It accepts CRLF and drops blank lines. A line over the limit is reported once
 * and skipped to its end without being buffered.
 */
export class LineSplitter {
  readonly #limitBytes: number;
  #parts: Uint8Array[] = [];
  #heldBytes = 0;
  #skipping = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The lines that this chunk completes, in order. */
  push(chunk: Uint8Array): HostLine[] {
    const lines: HostLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.#hold(chunk.subarray(start, end), lines);
      this.#complete(lines);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start), lines);
    return lines;
  }

  /** The last line, if the host closed stdin without a final line break. */
  end(): HostLine[] {
    const lines: HostLine[] = [];
    this.#complete(lines);
    return lines;
  }

  #hold(part: Uint8Array, lines: HostLine[]): void {
    if (this.#skipping || part.length === 0) return;
    this.#heldBytes += part.length;
    if (this.#heldBytes > this.#limitBytes) {
      this.#skipping = true;
      this.#parts = [];
      lines.push({ kind: 'too-long', limitBytes: this.#limitBytes });
    } else this.#parts.push(part);
  }

  #complete(lines: HostLine[]): void {
    const parts = this.#parts;
    const skipped = this.#skipping;
    this.#parts = [];
    this.#heldBytes = 0;
    this.#skipping = false;
    if (skipped || parts.length === 0) return;
    const whole = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    const bytes = whole[whole.length - 1] === CR ? whole.subarray(0, -1) : whole;
    if (bytes.length > 0) lines.push({ kind: 'line', bytes });
  }
}
