type Optional<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];

/** `T` with its properties that may be undefined absent instead. */
export type WithoutUndefined<T> = { [K in Exclude<keyof T, Optional<T>>]: T[K] } & {
  [K in Optional<T>]?: Exclude<T[K], undefined>;
};

/**
 * The same object without the properties that are undefined: for a spread, where they would overwrite what is there, and for types and formats
 * in which a property is there or is not. Our own types say `?: T | undefined`, and need no help.
 */
export function withoutUndefined<T extends object>(values: T): WithoutUndefined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
