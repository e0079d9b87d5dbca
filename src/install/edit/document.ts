import type { ConfigObject, ConfigValue } from '../hosts/host.ts';
import type { Splice } from './splice.ts';

/** A value as read: JSON's own, and TOML's dates and big integers. */
export type ReadValue = unknown;

/** Why a file is not edited, and where the problem is. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: string;
  readonly line: number;
  readonly column: number;
}

/** A config file that was read and can be edited. */
export interface ConfigDocument {
  readonly kind: 'document';
  readonly text: string;
  /** The whole as a value. Objects have no prototype. */
  readonly value: ReadValue;
  /** Sets a value, and creates the objects on the path to it. Other members of an existing object stay. */
  readonly set: (path: readonly string[], value: ConfigObject) => readonly Splice[] | Refusal;
  /** Removes a member of an object. */
  readonly remove: (path: readonly string[]) => readonly Splice[] | Refusal;
}

/** Reads a text in one of the formats. */
export type ReadDocument = (text: string) => ConfigDocument | Refusal;

/** The value at a path of keys; undefined if there is none. */
export function valueAt(value: ReadValue, path: readonly string[]): ReadValue {
  let at = value;
  for (const key of path) at = isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

/** The same value without the one at the path, and without objects on the path that are then empty. */
export function without(value: ReadValue, path: readonly string[]): ReadValue {
  const [key, ...rest] = path;
  if (key === undefined || !isRecord(value)) return undefined;
  const copy = record(Object.entries(value).filter(([name]) => name !== key));
  const inside = rest.length === 0 ? undefined : without(value[key], rest);
  if (inside !== undefined && !(isRecord(inside) && Object.keys(inside).length === 0)) copy[key] = inside;
  else if (rest.length > 0 && Object.hasOwn(value, key) && !isRecord(value[key])) copy[key] = value[key];
  return copy;
}

/** Whether this is an object of a config file, not a list. */
export function isRecord(value: ReadValue): value is Readonly<Record<string, ReadValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** An object without a prototype, so that a member called `__proto__` is an ordinary one. */
export function record(members: readonly (readonly [string, ReadValue])[]): Record<string, ReadValue> {
  const object = Object.create(null) as Record<string, ReadValue>;
  for (const [key, value] of members) object[key] = value;
  return object;
}

/** The contents of a config file as a value, for comparison with one that was read. */
export function asRead(value: ConfigValue): ReadValue {
  if (Array.isArray(value)) return value.map(asRead);
  if (typeof value !== 'object') return value;
  return record(Object.entries(value).map(([key, each]) => [key, asRead(each)]));
}
