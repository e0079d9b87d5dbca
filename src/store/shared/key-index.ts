import * as z from 'zod/mini';
import { UnknownKeyError } from '../files/store-errors.ts';
import { jsonFormat } from './cell-codec.ts';
import { EngineCell, type EngineCellDeps } from './engine-cell.ts';

/** More logins than any fleet has; the list stays far below the limit of a cell. */
const MAX_KEYS = 2_000;
/** Of removed logins the latest: with the keys in use, the list stays below that limit. */
const MAX_REMOVED = 500;

const key = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const schema = z.object({
  version: z.literal(1),
  keys: z.array(key).check(z.maxLength(MAX_KEYS)),
  /** Those whose removal is still remembered, and when each was removed, by the engine's clock. The latest is the last. */
  removed: z.array(z.object({ key, at: z.number().check(z.gte(0)) })).check(z.maxLength(MAX_REMOVED)),
});

type Listed = z.output<typeof schema>;

const FORMAT = jsonFormat('the list of logins', schema);
const EMPTY: Listed = { version: 1, keys: [], removed: [] };

export interface KeyIndexDeps extends EngineCellDeps {
  readonly timing: { readonly tombstoneMs: number };
}

/** The keys of all credentials, for `status` and `logout --all`: an engine is never asked to list its names. */
export class KeyIndex {
  readonly #cell: EngineCell<Listed>;
  readonly #tombstoneMs: number;
  /** The engine's epoch in which a key was seen in the list. */
  readonly #listed = new Map<string, string | undefined>();

  #isOurs = false;

  constructor(deps: KeyIndexDeps) {
    this.#cell = new EngineCell(() => deps.codec.indexName, FORMAT, deps);
    this.#tombstoneMs = deps.timing.tombstoneMs;
  }

  /** Rejects with StoreAwayError, like the next method. */
  async keys(): Promise<readonly string[]> {
    return (await this.#look()).keys;
  }

  /** The same, with those of removed logins, of which the engine has a cell too. */
  async allKeys(): Promise<readonly string[]> {
    const { keys, removed } = await this.#look();
    return [...keys, ...removed.map(({ key }) => key)];
  }

  /**
   * Adds the key to the list, or removes it. Calls the engine only if its list may have changed. A list sealed under another key is replaced only for a
   * person's sign-in (`overwrite`): otherwise that other key is the one in use.
   */
  async update(
    key: string,
    what: 'add' | 'remove',
    epoch: string | undefined,
    overwrite = false,
  ): Promise<void> {
    if (what === 'add' && this.#listed.has(key) && this.#listed.get(key) === epoch) return;
    await this.#cell.lookNow();
    const { look } = await this.#cell.change(
      ({ keys, removed } = EMPTY, { now }) => {
        if (keys.includes(key) === (what === 'add')) return { kind: 'as-is' };
        const others = keys.filter((each) => each !== key);
        const known = removed.filter((each) => each.key !== key && now - each.at < this.#tombstoneMs);
        const value =
          what === 'add'
            ? { ...EMPTY, keys: [...others, key].slice(-MAX_KEYS), removed: known }
            : { ...EMPTY, keys: others, removed: [...known, { key, at: now }].slice(-MAX_REMOVED) };
        return { kind: 'put', value };
      },
      { tell: false, overwrite },
    );
    if (what === 'add') this.#listed.set(key, look.epoch);
    else this.#listed.delete(key);
  }

  /**
   * Rejects with UnknownKeyError if the list is sealed under a key that is not at hand: the name of a login depends on the keys, so with those of another
   * store every login is absent, and a person would be asked to sign in.
   */
  async expectOurs(): Promise<void> {
    if (this.#isOurs) return;
    const { problem } = await this.#cell.look();
    if (problem instanceof UnknownKeyError) throw problem;
    this.#isOurs = true;
  }

  async #look(): Promise<Listed> {
    const { value, problem } = await this.#cell.lookNow();
    if (problem !== undefined) throw problem;
    return value ?? EMPTY;
  }
}
