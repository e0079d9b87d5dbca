type Optional<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];

/** `T`, where the properties that may be undefined are optional instead. */
export type WithoutUndefined<T> = { [K in Exclude<keyof T, Optional<T>>]: T[K] } & {
  [K in Optional<T>]?: Exclude<T[K], undefined>;
};

/**
 * Returns a copy without the properties that are undefined: for a spread, where they would overwrite existing values, and for types and
 * formats that distinguish a missing property from an undefined one. Our own types say `?: T | undefined` and do not need this.
 */
export function withoutUndefined<T extends object>(values: T): WithoutUndefined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
