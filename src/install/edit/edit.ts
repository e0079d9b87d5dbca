import { isDeepStrictEqual } from 'node:util';
import type { ConfigObject, Dialect, Host } from '../hosts/host.ts';
import {
  asRead,
  type ConfigDocument,
  isRecord,
  type ReadValue,
  type Refusal,
  record,
  valueAt,
  without,
} from './document.ts';
import { readJsonDocument } from './json-document.ts';
import { positionOf } from './layout.ts';
import { applySplices, fits, type Splice } from './splice.ts';
import { readTomlDocument } from './toml-document.ts';

/** A checked change of one entry in a file: everything else reads as before. */
export interface Edit {
  readonly kind: 'edit';
  readonly before: string;
  readonly after: string;
  readonly splices: readonly Splice[];
  /** Splices that are applied first, if an earlier version of the entry is removed. */
  readonly first?: readonly Splice[];
}

/** Reads a config file; an empty text is a file without entries. */
export function readDocument(format: Host['format'], text: string): ConfigDocument | Refusal {
  return format === 'toml' ? readTomlDocument(text) : readJsonDocument(text);
}

/** The dialect of the file: the first one whose object exists and contains objects, else the last. */
export function dialectOf(dialects: readonly Dialect[], value: ReadValue): Dialect {
  const used = dialects.find(({ keys }) => {
    const servers = valueAt(value, keys);
    return isRecord(servers) && Object.values(servers).every(isRecord);
  });
  const last = used ?? dialects.at(-1);
  if (last === undefined) throw new TypeError('a host without a dialect');
  return last;
}

/** Writes the members of an entry. Other members, set by a person or the host, stay. */
export function setEntry(
  format: Host['format'],
  text: string,
  path: readonly string[],
  entry: ConfigObject,
): Edit | Refusal {
  const document = readDocument(format, text);
  if (document.kind === 'refused') return document;
  const splices = document.set(path, entry);
  if (isRefusal(splices)) return splices;
  return checked(format, document, splices, path, merged(valueAt(document.value, path), asRead(entry)));
}

/** Removes an entry. */
export function removeEntry(format: Host['format'], text: string, path: readonly string[]): Edit | Refusal {
  const document = readDocument(format, text);
  if (document.kind === 'refused') return document;
  const splices = document.remove(path);
  return isRefusal(splices) ? splices : checked(format, document, splices, path, undefined);
}

/** Applies splices that were recorded when an entry was installed; undefined if they do not result in a file with everything else unchanged. */
export function undoEntry(
  format: Host['format'],
  text: string,
  path: readonly string[],
  splices: readonly Splice[],
): Edit | undefined {
  const document = readDocument(format, text);
  if (document.kind === 'refused' || !fits(text, splices)) return undefined;
  const after = applySplices(text, splices);
  const changed = readDocument(format, after);
  if (changed.kind === 'refused') return undefined;
  const isSafe = isDeepStrictEqual(without(changed.value, path), without(document.value, path));
  return isSafe ? { kind: 'edit', before: text, after, splices } : undefined;
}

/** Both texts are parsed, and must be equal except for the entry. */
function checked(
  format: Host['format'],
  { text, value }: ConfigDocument,
  splices: readonly Splice[],
  path: readonly string[],
  entry: ReadValue,
): Edit | Refusal {
  const after = applySplices(text, splices);
  const changed = readDocument(format, after);
  const isRight =
    changed.kind === 'document' &&
    isDeepStrictEqual(valueAt(changed.value, path), entry) &&
    isDeepStrictEqual(without(changed.value, path), without(value, path)) &&
    (format === 'toml' || text.trim() === '' || !isStrictJson(text) || isStrictJson(after));
  if (isRight) return { kind: 'edit', before: text, after, splices };
  const reason = 'cannot be edited without changing something else';
  return { kind: 'refused', reason, ...positionOf(text, splices[0]?.start ?? 0) };
}

/** The members of both; those of `value` win. */
function merged(old: ReadValue, value: ReadValue): ReadValue {
  if (!isRecord(old) || !isRecord(value)) return value;
  const members = Object.entries(value).map(([key, each]) => [key, merged(old[key], each)] as const);
  return record([...Object.entries(old), ...members]);
}

function isRefusal(value: readonly Splice[] | Refusal): value is Refusal {
  return 'kind' in value;
}

function isStrictJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/^\ufeff/, ''));
    return true;
  } catch {
    return false;
  }
}
