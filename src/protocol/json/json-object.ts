/** A JSON object: what `JSON.parse` makes of `{…}`. */
export type JsonObject = { readonly [name: string]: unknown };

/** Whether a parsed JSON value is an object. Arrays and `null` are not. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
