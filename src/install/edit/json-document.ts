import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { ConfigObject, ConfigValue } from '../hosts/host.ts';
import { type ConfigDocument, type ReadValue, type Refusal, record } from './document.ts';
import { indentAt, isFirstOnLine, type Layout, layoutOf, lineStart, positionOf } from './layout.ts';
import type { Splice } from './splice.ts';

const BOM = '\ufeff';

/** Reads JSON with comments and trailing commas (JSONC). An empty file counts as one without entries. */
export function readJsonDocument(text: string): ConfigDocument | Refusal {
  const errors: ParseError[] = [];
  // The parser rejects a byte order mark; a space in its place keeps the offsets.
  const plain = text.startsWith(BOM) ? ` ${text.slice(1)}` : text;
  const isEmpty = plain.trim() === '';
  const root = isEmpty ? undefined : parseTree(plain, errors, { allowTrailingComma: true });
  const [fault] = errors;
  if (fault !== undefined) return refusal(text, fault.offset, `is not valid JSON (${words(fault)})`);
  if (root !== undefined && root.type !== 'object') return refusal(text, root.offset, 'is not a JSON object');
  const editor = new JsonEditor(text, plain, root);
  return {
    kind: 'document',
    text,
    value: root === undefined ? record([]) : readValue(root),
    set: (path, value) => editor.set(path, value),
    remove: (path) => editor.remove(path),
  };
}

class JsonEditor {
  readonly #text: string;
  readonly #plain: string;
  readonly #root: Node | undefined;
  readonly #layout: Layout;

  constructor(text: string, plain: string, root: Node | undefined) {
    this.#text = text;
    this.#plain = plain;
    this.#root = root;
    this.#layout = layoutOf(plain);
  }

  set(path: readonly string[], value: ConfigObject): readonly Splice[] | Refusal {
    const { eol } = this.#layout;
    if (this.#root === undefined) {
      const whole = this.#print(nested(path, value), '');
      const at = this.#text.startsWith(BOM) ? 1 : 0;
      const rest = this.#text.slice(at);
      return [{ start: at, removed: rest, inserted: `${whole}${eol}` }];
    }
    let object = this.#root;
    for (const [depth, key] of path.entries()) {
      const next = member(object, key)?.children?.[1];
      if (next === undefined) return this.#insert(object, key, nested(path.slice(depth + 1), value));
      if (next.type !== 'object') {
        return refusal(
          this.#text,
          next.offset,
          `has something other than an object at ${shown(path.slice(0, depth + 1))}`,
        );
      }
      object = next;
    }
    return this.#update(object, value);
  }

  remove(path: readonly string[]): readonly Splice[] | Refusal {
    let object = this.#root;
    for (const key of path.slice(0, -1)) object = object && member(object, key)?.children?.[1];
    const property = object && member(object, path.at(-1) ?? '');
    if (object === undefined || property === undefined)
      return refusal(this.#text, 0, `has nothing at ${shown(path)}`);
    return this.#cut(object, property);
  }

  /** Writes the members that differ, and adds missing ones. */
  #update(object: Node, value: ConfigObject): readonly Splice[] {
    const splices: Splice[] = [];
    const missing: [string, ConfigValue][] = [];
    for (const [key, each] of Object.entries(value)) {
      const old = member(object, key)?.children?.[1];
      if (old === undefined) missing.push([key, each]);
      else if (old.type === 'object' && isObject(each)) splices.push(...this.#update(old, each));
      else if (JSON.stringify(readValue(old)) !== JSON.stringify(each)) {
        const removed = this.#text.slice(old.offset, old.offset + old.length);
        const isWide = removed.includes('\n') || !this.#plain.includes('\n');
        const inserted = this.#print(each, indentAt(this.#plain, old.offset), isWide ? 'lines' : 'line');
        splices.push({ start: old.offset, removed, inserted });
      }
    }
    return missing.length === 0 ? splices : [...splices, ...this.#append(object, missing)];
  }

  #insert(object: Node, key: string, value: ConfigValue): readonly Splice[] {
    return this.#append(object, [[key, value]]);
  }

  /** Adds members after the last one, or to an empty object. */
  #append(object: Node, members: readonly (readonly [string, ConfigValue])[]): readonly Splice[] {
    const last = object.children?.at(-1);
    const close = object.offset + object.length - 1;
    return last === undefined
      ? this.#fill(object, close, members)
      : this.#continue(object, last, close, members);
  }

  #fill(
    object: Node,
    close: number,
    members: readonly (readonly [string, ConfigValue])[],
  ): readonly Splice[] {
    const { eol, unit } = this.#layout;
    const start = object.offset + 1;
    const inside = this.#text.slice(start, close);
    // A file on one line stays on one line.
    const isOneLine = !this.#plain.includes('\n') && this.#plain.trim() !== '{}';
    if (isOneLine) {
      const written = members
        .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
        .join(',');
      return [{ start: close, removed: '', inserted: written }];
    }
    const outer = indentAt(this.#plain, object.offset);
    const inner = outer + unit;
    const written = members
      .map(([key, value]) => `${inner}${JSON.stringify(key)}: ${this.#print(value, inner)}`)
      .join(`,${eol}`);
    // A comment in it stays before the entry; a line comment ends at its line break.
    if (inside.trim() !== '') {
      const kept = inside.trimEnd();
      const from = start + kept.length;
      return [
        { start: from, removed: inside.slice(kept.length), inserted: `${eol}${written}${eol}${outer}` },
      ];
    }
    return [{ start, removed: inside, inserted: `${eol}${written}${eol}${outer}` }];
  }

  #continue(
    object: Node,
    last: Node,
    close: number,
    members: readonly (readonly [string, ConfigValue])[],
  ): readonly Splice[] {
    const { eol } = this.#layout;
    const end = last.offset + last.length;
    const comma = commaAfter(this.#plain, end, close);
    const text = this.#text;
    const hasLines = isFirstOnLine(this.#plain, last.offset) && lineStart(text, last.offset) > object.offset;
    if (!hasLines) {
      const gap = text.slice(end, close).includes('\n') ? ' ' : separator(this.#plain, object, last);
      const colon = /^\s*: /.test(
        text.slice((last.children?.[0]?.offset ?? 0) + (last.children?.[0]?.length ?? 0)),
      );
      const written = members
        .map(([key, value]) => `${JSON.stringify(key)}:${colon ? ' ' : ''}${oneLine(value, colon)}`)
        .join(`,${gap}`);
      return comma === undefined
        ? [{ start: end, removed: '', inserted: `,${gap}${written}` }]
        : [{ start: comma + 1, removed: '', inserted: `${gap}${written},` }];
    }
    const indent = indentAt(this.#plain, last.offset);
    const written = members
      .map(([key, value]) => `${indent}${JSON.stringify(key)}: ${this.#print(value, indent)}`)
      .join(`,${eol}`);
    // After the comment at the end of the last member's line, which belongs to that member.
    const at = endOfLine(this.#plain, comma === undefined ? end : comma + 1, close);
    if (comma !== undefined) return [{ start: at, removed: '', inserted: `${eol}${written},` }];
    return at === end
      ? [{ start: end, removed: '', inserted: `,${eol}${written}` }]
      : [
          { start: end, removed: '', inserted: ',' },
          { start: at, removed: '', inserted: `${eol}${written}` },
        ];
  }

  /** Removes a member with its comma and its line. */
  #cut(object: Node, property: Node): readonly Splice[] {
    const text = this.#plain;
    const close = object.offset + object.length - 1;
    const end = property.offset + property.length;
    const comma = commaAfter(text, end, close);
    const siblings = object.children ?? [];
    const before = siblings[siblings.indexOf(property) - 1];
    const isLast = siblings.at(-1) === property;
    let from = property.offset;
    let to = comma === undefined ? end : comma + 1;
    const ownsLine = isFirstOnLine(text, from) && /^[ \t]*(\r?\n|$)/.test(text.slice(to, close + 1));
    if (ownsLine) {
      from = lineStart(text, from);
      to = text.indexOf('\n', to) + 1;
    } else if (comma !== undefined) to += /^[ \t]*/.exec(text.slice(to, close))?.[0].length ?? 0;
    const cut: Splice = { start: from, removed: this.#text.slice(from, to), inserted: '' };
    if (!isLast || before === undefined || comma !== undefined) return [cut];
    // The comma after the previous member separates nothing any more.
    const spare = commaAfter(text, before.offset + before.length, property.offset);
    if (spare === undefined) return [cut];
    const isBlank = !ownsLine && text.slice(spare + 1, from).trim() === '';
    return isBlank
      ? [{ start: spare, removed: this.#text.slice(spare, to), inserted: '' }]
      : [{ start: spare, removed: ',', inserted: '' }, cut];
  }

  /** A value on several lines, with lists of short words on one line. */
  #print(value: ConfigValue, indent: string, as: 'lines' | 'line' = 'lines'): string {
    const { eol, unit } = this.#layout;
    if (as === 'line' || typeof value !== 'object') return oneLine(value, true);
    const inner = indent + unit;
    const parts = Array.isArray(value)
      ? value.map((each: ConfigValue) => this.#print(each, inner))
      : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${this.#print(each, inner)}`);
    const [open, shut] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
    if (parts.length === 0) return `${open}${shut}`;
    return `${open}${eol}${parts.map((part) => inner + part).join(`,${eol}`)}${eol}${indent}${shut}`;
  }
}

function isObject(value: ConfigValue): value is ConfigObject {
  return typeof value === 'object' && !Array.isArray(value);
}

/** The last member of that name: JSON.parse, and so a host, uses that one. */
function member(object: Node, key: string): Node | undefined {
  return object.children?.findLast(({ children }) => children?.[0]?.value === key);
}

function nested(path: readonly string[], value: ConfigObject): ConfigObject {
  return path.reduceRight<ConfigObject>((inner, key) => ({ [key]: inner }), value);
}

function readValue(node: Node): ReadValue {
  if (node.type === 'array') return (node.children ?? []).map(readValue);
  if (node.type !== 'object') return node.value as ReadValue;
  return record(
    (node.children ?? []).map(({ children }) => [
      String(children?.[0]?.value),
      children?.[1] && readValue(children[1]),
    ]),
  );
}

function oneLine(value: ConfigValue, isSpaced: boolean): string {
  if (!isSpaced || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each: ConfigValue) => oneLine(each, true)).join(', ')}]`;
  const members = Object.entries(value).map(
    ([key, each]) => `${JSON.stringify(key)}: ${oneLine(each, true)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/** The end of a comment or of white space. */
const TRIVIA = /(?:\s|\/\/[^\n\r]*|\/\*[\s\S]*?\*\/)*/y;

/** The position of the comma after a member; undefined if there is none before `limit`. */
function commaAfter(text: string, from: number, limit: number): number | undefined {
  TRIVIA.lastIndex = from;
  const at = from + (TRIVIA.exec(text)?.[0].length ?? 0);
  return at < limit && text[at] === ',' ? at : undefined;
}

/** The end of the line, if only white space and comments that end on it follow; else `from` itself. */
function endOfLine(text: string, from: number, limit: number): number {
  const rest = text.slice(from, limit);
  const found = /^(?:[ \t]|\/\*(?:(?!\*\/)[^\n])*\*\/)*(?:\/\/[^\n\r]*)?(?=\r?\n)/.exec(rest);
  return found === null || found[0].trim() === '' ? from : from + found[0].length;
}

/** The separator between two members on one line: a space, or nothing. */
function separator(text: string, object: Node, last: Node): string {
  const before = object.children?.at(-2);
  if (before === undefined) return / /.test(text.slice(object.offset, last.offset)) ? ' ' : '';
  return /,\s/.test(text.slice(before.offset + before.length, last.offset)) ? ' ' : '';
}

function shown(path: readonly string[]): string {
  return path.map((key) => JSON.stringify(key)).join(' → ');
}

function refusal(text: string, at: number, reason: string): Refusal {
  return { kind: 'refused', reason, ...positionOf(text, at) };
}

/** `CommaExpected` → `comma expected`. */
function words({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
}
