/*
 * The types of the platform, taken from the compilation that uses them: from the DOM library or from @types/node, whichever is present. So the package's types
 * need neither, and match those of the program that uses them.
 */

/** The type of `fetch`. */
export type Fetch = typeof globalThis extends { fetch: infer T extends (...args: never) => unknown }
  ? T
  : (input: unknown, init?: unknown) => Promise<unknown>;

/** An `AbortSignal`. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer T } }
  ? T
  : { readonly aborted: boolean; readonly reason: unknown };

/** A `URL`. */
export type Address = typeof globalThis extends { URL: { prototype: infer T } }
  ? T
  : { readonly href: string };

/** A `Response`. */
export type WebResponse = typeof globalThis extends { Response: { prototype: infer T } }
  ? T
  : { readonly status: number; readonly headers: { get(name: string): string | null } };
