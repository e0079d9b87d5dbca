import { createHash, createHmac } from 'node:crypto';
import { InternalError } from '../../errors.ts';
import { type LoadSecrets, open, type SealingKeys, seal, sealingKeys } from '../sealing/envelope.ts';

/** The kinds of cells. */
export type CellKind = 'credential' | 'sign-in';
const SUFFIX: Readonly<Record<CellKind, string>> = { credential: 'c', 'sign-in': 's' };

/** The purpose for which keys of the engine's cells are derived. */
const PURPOSE = 'shared store';

/** How a value is written. `decode` returns undefined for an invalid value, and throws for one that must not be replaced. */
export interface Format<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T | undefined;
}

/** Names cells, and writes and seals their contents. The keys are requested when the first cell is opened: they may come from a program. */
export class CellCodec {
  readonly #load: LoadSecrets;
  readonly #prefix: string;
  readonly #nameKey: Uint8Array;
  #loaded: { readonly secrets: readonly Uint8Array[]; readonly keys: SealingKeys } | undefined;

  constructor(load: LoadSecrets, prefix: string) {
    this.#load = load;
    this.#prefix = prefix;
    this.#nameKey = createHash('sha256').update(`mcp-drawbridge names ${prefix}`).digest();
  }

  /** The cell of a credential, by its key. */
  name(key: string, kind: CellKind): string {
    const digest = createHmac('sha256', this.#nameKey).update(key).digest('hex').slice(0, 32);
    return `${this.#prefix}:${digest}:${SUFFIX[kind]}`;
  }

  /** The cell with the keys in use. */
  get indexName(): string {
    return `${this.#prefix}:index`;
  }

  /**
   * Resolves when cells can be sealed and opened, with the current keys: a change of keys needs no restart of bridges. Rejects as the source of the keys does.
   * `isUnknown`: a value is sealed under none of them. True: the keys have changed.
   */
  async ready(isUnknown = false): Promise<boolean> {
    const before = this.#loaded;
    const secrets = await this.#load(isUnknown);
    if (this.#loaded?.secrets === secrets) return before !== this.#loaded;
    this.#loaded = { secrets, keys: sealingKeys(secrets, PURPOSE) };
    return true;
  }

  /** The id of the key that seals. To be asked for when `ready` has resolved. */
  get keyId(): string {
    return this.#keys()[0].id;
  }

  /** `seq`: the number that the value will have. It cannot be opened under another name or number. Throws what `format` throws. */
  seal<T>(name: string, seq: number, value: T, format: Format<T>): Uint8Array {
    return seal(this.#keys(), format.encode(value), `${name}:${seq}`);
  }

  /** Throws UnknownKeyError, NotAuthenticError, and what `format` throws. */
  open<T>(name: string, seq: number, sealed: Uint8Array, format: Format<T>): T | undefined {
    return format.decode(open(this.#keys(), sealed, `${name}:${seq}`));
  }

  #keys(): SealingKeys {
    if (this.#loaded === undefined) throw new InternalError('a cell is used before its keys are there');
    return this.#loaded.keys;
  }
}
