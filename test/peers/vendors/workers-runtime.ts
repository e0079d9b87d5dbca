import { register } from 'node:module';

/** What of Cloudflare's runtime `@cloudflare/workers-oauth-provider` asks for: a class to extend, a flag, a key-value store. */

const MODULE = 'data:text/javascript,export class WorkerEntrypoint {}';
const RESOLVE = `export const resolve = (name, context, next) =>
  name === 'cloudflare:workers' ? { url: ${JSON.stringify(MODULE)}, shortCircuit: true } : next(name, context);`;

let loaded: Promise<typeof import('@cloudflare/workers-oauth-provider')> | undefined;

export function loadWorkersOAuthProvider() {
  loaded ??= (async () => {
    register(`data:text/javascript,${encodeURIComponent(RESOLVE)}`);
    // Without it, the library takes no client id metadata documents.
    Object.assign(globalThis, {
      Cloudflare: { compatibilityFlags: { global_fetch_strictly_public: true } },
    });
    return import('@cloudflare/workers-oauth-provider');
  })();
  return loaded;
}

interface Entry {
  readonly value: string;
  readonly metadata: unknown;
  readonly expiresAt: number;
}

/** A KV namespace, as far as the library uses one; unlike Cloudflare's it is consistent at once. */
export class KvNamespace {
  readonly #entries = new Map<string, Entry>();

  async get(key: string, options?: { readonly type?: string }): Promise<unknown> {
    const entry = this.#live(key);
    if (entry === undefined) return null;
    return options?.type === 'json' ? JSON.parse(entry.value) : entry.value;
  }

  async put(
    key: string,
    value: string,
    options: {
      readonly expirationTtl?: number;
      readonly expiration?: number;
      readonly metadata?: unknown;
    } = {},
  ): Promise<void> {
    const { expirationTtl, expiration, metadata } = options;
    const seconds =
      expiration ?? (expirationTtl === undefined ? undefined : Date.now() / 1000 + expirationTtl);
    this.#entries.set(key, { value, metadata, expiresAt: (seconds ?? Number.POSITIVE_INFINITY) * 1000 });
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  async list({ prefix = '' }: { readonly prefix?: string } = {}) {
    const names = [...this.#entries.keys()].filter((key) => key.startsWith(prefix) && this.#live(key));
    const keys = names.map((name) => ({ name, metadata: this.#live(name)?.metadata }));
    return { keys, list_complete: true as const };
  }

  /** Removes what begins so: as if it had expired, or an operator had. */
  drop(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expiresAt > Date.now() ? entry : undefined;
  }
}
