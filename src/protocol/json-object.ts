/** A JSON object: what `JSON.parse` makes of `{…}`. */
export type JsonObject = { readonly [name: string]: unknown };

/** Whether a parsed JSON value is an object. An array is none, nor is `null`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
