import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import type { ConfigObject, ConfigValue } from '../hosts/host.ts';
import {
  asRead,
  type ConfigDocument,
  isRecord,
  type ReadValue,
  type Refusal,
  record,
  valueAt,
} from './document.ts';
import { layoutOf, positionOf } from './layout.ts';
import type { Splice } from './splice.ts';
import { scanToml, type TomlItem } from './toml-scan.ts';

const BOM = '\ufeff';

/** Reads TOML. Each entry is a table with a header, as every program writes them: an inline table cannot be extended (TOML 1.0.0, "Inline Table"). */
export function readTomlDocument(text: string): ConfigDocument | Refusal {
  // A space in place of the byte order mark keeps the offsets.
  const plain = text.startsWith(BOM) ? ` ${text.slice(1)}` : text;
  let value: ReadValue;
  try {
    value = plainValue(parse(plain, { integersAsBigInt: 'asNeeded' }));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = `is not valid TOML (${error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '')})`;
    return { kind: 'refused', reason, line: error.line, column: error.column };
  }
  const editor = new TomlEditor(plain, value);
  return {
    kind: 'document',
    text,
    value,
    set: (path, entry) => editor.set(path, entry),
    remove: (path) => editor.remove(path),
  };
}

class TomlEditor {
  readonly #text: string;
  readonly #value: ReadValue;
  readonly #items: readonly TomlItem[];
  readonly #eol: string;

  constructor(text: string, value: ReadValue) {
    this.#text = text;
    this.#value = value;
    this.#items = scanToml(text);
    this.#eol = layoutOf(text).eol;
  }

  set(path: readonly string[], value: ConfigObject): readonly Splice[] | Refusal {
    const header = this.#header(path);
    if (header !== undefined) return this.#update(header, path, value);
    if (valueAt(this.#value, path) !== undefined) return this.#noTable(path);
    const above = path
      .slice(0, -1)
      .findIndex((_, at) => this.#items.some((item) => this.#isInline(item, path.slice(0, at + 1))));
    if (above !== -1) return this.#noTable(path.slice(0, above + 1));
    const eol = this.#eol;
    const lines = [`[${path.map(key).join('.')}]`, ...this.#lines(value)].map((line) => line + eol).join('');
    const text = this.#text;
    const gap = text.trim() === '' || /\n\r?\n$/.test(text) ? '' : text.endsWith('\n') ? eol : eol + eol;
    return [{ start: text.length, removed: '', inserted: gap + lines }];
  }

  remove(path: readonly string[]): readonly Splice[] | Refusal {
    const own = this.#items.filter(({ keys, kind }) => kind !== 'pair' && startsWith(keys, path));
    const loose = this.#items.some(
      (item) =>
        item.kind === 'pair' &&
        startsWith(item.keys, path) &&
        !own.some((header) => this.#belongs(item, header)),
    );
    if (own.length === 0 || loose) return this.#noTable(path);
    return own.map((header) => {
      const last = this.#items.findLast((item) => item === header || this.#belongs(item, header));
      const end = last?.end ?? header.end;
      // One empty line is removed too: the one that separated the table from the text before it.
      const before = /(?:^|\n)(\r?\n)$/.exec(this.#text.slice(0, header.start))?.[1] ?? '';
      const start = header.start - before.length;
      return { start, removed: this.#text.slice(start, end), inserted: '' };
    });
  }

  #update(header: TomlItem, path: readonly string[], value: ConfigObject): readonly Splice[] | Refusal {
    const splices: Splice[] = [];
    const missing: [string, ConfigValue][] = [];
    for (const [name, each] of Object.entries(value)) {
      const inside = [...path, name];
      if (isDeepStrictEqual(valueAt(this.#value, inside), asRead(each))) continue;
      const pair = this.#items.find((item) => item.kind === 'pair' && isSame(item.keys, inside));
      if (pair !== undefined) {
        const removed = this.#text.slice(pair.valueStart, pair.valueEnd);
        splices.push({ start: pair.valueStart, removed, inserted: literal(each) });
      } else if (valueAt(this.#value, inside) === undefined) missing.push([name, each]);
      else {
        const deeper = isPlainObject(each) ? this.set(inside, each) : this.#noTable(inside);
        if ('kind' in deeper) return deeper;
        splices.push(...deeper);
      }
    }
    if (missing.length === 0) return splices;
    const last = this.#items.findLast((item) => item === header || this.#belongs(item, header));
    const at = last?.end ?? header.end;
    const lead = this.#text.slice(0, at).endsWith('\n') ? '' : this.#eol;
    const lines = this.#lines(Object.fromEntries(missing)).map((line) => line + this.#eol);
    return [...splices, { start: at, removed: '', inserted: lead + lines.join('') }];
  }

  #lines(value: ConfigObject): string[] {
    return Object.entries(value).map(([name, each]) => `${key(name)} = ${literal(each)}`);
  }

  #header(path: readonly string[]): TomlItem | undefined {
    return this.#items.find((item) => item.kind === 'table' && isSame(item.keys, path));
  }

  /** Whether a pair comes after this header and before the next. */
  #belongs(item: TomlItem, header: TomlItem): boolean {
    if (item.kind !== 'pair' || item.start < header.start) return false;
    const next = this.#items.find((each) => each.kind !== 'pair' && each.start > header.start);
    return next === undefined || item.start < next.start;
  }

  #isInline({ kind, keys }: TomlItem, path: readonly string[]): boolean {
    return kind !== 'table' && isSame(keys, path);
  }

  #noTable(path: readonly string[]): Refusal {
    const item = this.#items.find(({ keys }) => startsWith(keys, path));
    const reason = `has something other than a table with a header at ${path.map(key).join('.')}`;
    return { kind: 'refused', reason, ...positionOf(this.#text, item?.start ?? 0) };
  }
}

const isSame = (a: readonly string[], b: readonly string[]) => a.length === b.length && startsWith(a, b);
const startsWith = (keys: readonly string[], path: readonly string[]) =>
  path.every((each, at) => keys[at] === each);

function key(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : literal(name);
}

function isPlainObject(value: ConfigValue): value is ConfigObject {
  return typeof value === 'object' && !Array.isArray(value);
}

/** A value on one line. The escapes of JSON are those of a basic string, which may not contain U+007F unescaped. */
function literal(value: ConfigValue): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (isPlainObject(value)) {
    const members = Object.entries(value).map(([name, each]) => `${key(name)} = ${literal(each)}`);
    return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
  }
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
}

/** The parsed value, its tables without a prototype. */
function plainValue(value: ReadValue): ReadValue {
  if (Array.isArray(value)) return value.map(plainValue);
  return isRecord(value)
    ? record(Object.entries(value).map(([name, each]) => [name, plainValue(each)]))
    : value;
}
