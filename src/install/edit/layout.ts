/** The layout of a file: additions follow it. */
export interface Layout {
  readonly eol: string;
  /** One step of indentation. */
  readonly unit: string;
}

/** The layout of a text: its more frequent line break, and its smallest indentation. */
export function layoutOf(text: string): Layout {
  const all = text.split('\n').length - 1;
  const carriage = text.split('\r\n').length - 1;
  const indents = Array.from(text.matchAll(/^([ \t]+)\S/gm), ([, indent = '']) => indent);
  const tab = indents.find((indent) => indent.startsWith('\t'));
  const spaces = indents.filter((indent) => !indent.startsWith('\t')).map(({ length }) => length);
  // A single space is the inside of a block comment.
  const least = Math.min(...spaces.filter((length) => length > 1));
  const unit = tab === undefined ? ' '.repeat(Number.isFinite(least) ? Math.min(least, 8) : 2) : '\t';
  return { eol: carriage * 2 > all ? '\r\n' : '\n', unit };
}

/** The white space at the beginning of the line that contains `at`. */
export function indentAt(text: string, at: number): string {
  const line = text.slice(lineStart(text, at), at);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

/** The start of the line that contains `at`. */
export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** Whether only white space precedes `at` on its line. */
export function isFirstOnLine(text: string, at: number): boolean {
  return text.slice(lineStart(text, at), at).trim() === '';
}

/** Line and column of a position, both from 1. */
export function positionOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}
