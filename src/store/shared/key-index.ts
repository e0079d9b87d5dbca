import * as z from 'zod/mini';
import type { Format } from './cell-codec.ts';
import { EngineCell, type EngineCellDeps } from './engine-cell.ts';

/** More logins than any fleet has; the list stays far below the limit of a cell. */
const MAX_KEYS = 2_000;

const schema = z.object({
  version: z.literal(1),
  keys: z.array(z.string().check(z.regex(/^[0-9a-f]{64}$/))).check(z.maxLength(MAX_KEYS)),
});

const FORMAT: Format<readonly string[]> = {
  encode: (keys) => Buffer.from(JSON.stringify({ version: 1, keys })),
  decode: (bytes) => {
    try {
      return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).keys;
    } catch {
      return undefined;
    }
  },
};

/** The keys of all credentials, for `status` and `logout --all`: an engine is never asked for the list of its names. */
export class KeyIndex {
  readonly #cell: EngineCell<readonly string[]>;
  /** In which epoch of the engine a key was seen to be listed. */
  readonly #listed = new Map<string, string | undefined>();

  constructor(deps: EngineCellDeps) {
    this.#cell = new EngineCell(deps.codec.indexName, FORMAT, deps);
  }

  /** Rejects with StoreAwayError, as the next. */
  async keys(): Promise<readonly string[]> {
    const { value, problem } = await this.#cell.lookNow();
    if (problem !== undefined) throw problem;
    return value ?? [];
  }

  /** Lists the key, or takes it from the list. Asks the engine only where it may have another list by now. */
  async update(key: string, what: 'add' | 'remove', epoch: string | undefined): Promise<void> {
    if (what === 'add' && this.#listed.has(key) && this.#listed.get(key) === epoch) return;
    await this.#cell.lookNow();
    const { look } = await this.#cell.change(
      (keys = []) => {
        if (keys.includes(key) === (what === 'add')) return { kind: 'as-is' };
        const others = keys.filter((each) => each !== key);
        return { kind: 'put', value: what === 'add' ? [...others, key].slice(-MAX_KEYS) : others };
      },
      { tell: false, overwrite: what === 'add' },
    );
    if (what === 'add') this.#listed.set(key, look.epoch);
    else this.#listed.delete(key);
  }
}
