import type { Plugin } from 'rolldown';
import { parseSync } from 'rolldown/experimental';

/** Lines are broken where they would grow beyond this, except within a string. Each break costs a byte of the package. */
const MAX_CHARACTERS = 160;

/** After these a line break means nothing, wherever they are code. */
const BREAKABLE = new Set([',', ';', '{']);

/** Short lines: before the stack of an uncaught error, Node prints the whole line that threw it. */
export const shortLines: Plugin = {
  name: 'short-lines',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type === 'chunk') file.code = broken(file.code, file.fileName);
    }
  },
};

function broken(code: string, name: string): string {
  const fixed = textOf(code, name);
  let at = 0;
  let lineStart = 0;
  let breakAt = 0;
  let written = '';
  const breakLine = () => {
    written += `${code.slice(lineStart, breakAt)}\n`;
    lineStart = breakAt;
  };
  for (const { start, end } of [...fixed, { start: code.length, end: code.length }]) {
    for (; at < start; at++) {
      if (at - lineStart >= MAX_CHARACTERS && breakAt > lineStart) breakLine();
      const character = code.charAt(at);
      if (BREAKABLE.has(character)) breakAt = at + 1;
      else if (character === '\n') {
        breakAt = at + 1;
        written += code.slice(lineStart, breakAt);
        lineStart = breakAt;
      }
    }
    // Of a text, the last line counts.
    if (end - lineStart >= MAX_CHARACTERS && breakAt > lineStart) breakLine();
    at = Math.max(at, end);
  }
  return written + code.slice(lineStart);
}

/** Where a line break would change the program: strings, regular expressions and comments. */
function textOf(code: string, name: string): { readonly start: number; readonly end: number }[] {
  const { program, comments, errors } = parseSync(name, code);
  if (errors.length > 0) throw new Error(`${name}: ${errors[0]?.message}`);
  const found: { start: number; end: number }[] = [...comments];
  const look = (node: unknown): void => {
    if (Array.isArray(node)) for (const each of node) look(each);
    else if (typeof node === 'object' && node !== null) {
      const { type, start, end } = node as { type?: string; start?: number; end?: number };
      const isText = type === 'Literal' || type === 'TemplateElement';
      if (isText && start !== undefined && end !== undefined) found.push({ start, end });
      else for (const value of Object.values(node)) look(value);
    }
  };
  look(program.body);
  return found.sort((one, other) => one.start - other.start);
}
