import type { ConfigObject, ConfigValue } from '../hosts/host.ts';
import type { Splice } from './splice.ts';

/** A value as it was read: JSON's own, and TOML's dates and big integers. */
export type ReadValue = unknown;

/** Why a file is not edited, with the place where a person has to look. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: string;
  readonly line: number;
  readonly column: number;
}

/** A config file that was read, and can be edited. */
export interface ConfigDocument {
  readonly kind: 'document';
  readonly text: string;
  /** The whole as a value. Objects have no prototype. */
  readonly value: ReadValue;
  /** Sets a value, and makes the objects on the way to it. Members that an object there has besides those of `value` stay. */
  readonly set: (path: readonly string[], value: ConfigObject) => readonly Splice[] | Refusal;
  /** Removes a member of an object. */
  readonly remove: (path: readonly string[]) => readonly Splice[] | Refusal;
}

/** Reads a text in one of the formats. */
export type ReadDocument = (text: string) => ConfigDocument | Refusal;

/** The value at the end of a path of keys; undefined where there is none. */
export function valueAt(value: ReadValue, path: readonly string[]): ReadValue {
  let at = value;
  for (const key of path) at = isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

/** The same value without what is at the end of the path, and without the objects on the way that are empty then. */
export function without(value: ReadValue, path: readonly string[]): ReadValue {
  const [key, ...rest] = path;
  if (key === undefined || !isRecord(value)) return undefined;
  const copy = record(Object.entries(value).filter(([name]) => name !== key));
  const inside = rest.length === 0 ? undefined : without(value[key], rest);
  if (inside !== undefined && !(isRecord(inside) && Object.keys(inside).length === 0)) copy[key] = inside;
  else if (rest.length > 0 && Object.hasOwn(value, key) && !isRecord(value[key])) copy[key] = value[key];
  return copy;
}

/** Whether this is an object of a config file, and no list. */
export function isRecord(value: ReadValue): value is Readonly<Record<string, ReadValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** An object without a prototype, so that a member called `__proto__` is one. */
export function record(members: readonly (readonly [string, ReadValue])[]): Record<string, ReadValue> {
  const object = Object.create(null) as Record<string, ReadValue>;
  for (const [key, value] of members) object[key] = value;
  return object;
}

/** What is in a config file as a value to compare with one that was read. */
export function asRead(value: ConfigValue): ReadValue {
  if (Array.isArray(value)) return value.map(asRead);
  if (typeof value !== 'object') return value;
  return record(Object.entries(value).map(([key, each]) => [key, asRead(each)]));
}
