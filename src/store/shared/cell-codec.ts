import { createHash, createHmac } from 'node:crypto';
import { InternalError } from '../../errors.ts';
import { type LoadSecrets, open, type SealingKeys, seal, sealingKeys } from '../sealing/envelope.ts';

/** What kinds of cells there are. */
export type CellKind = 'credential' | 'sign-in';
const SUFFIX: Readonly<Record<CellKind, string>> = { credential: 'c', 'sign-in': 's' };

/** What keys of the engine's cells are derived for. */
const PURPOSE = 'shared store';

/** How a value is written. `decode` gives undefined for what is none, and throws for what must not be replaced. */
export interface Format<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T | undefined;
}

/** Names cells, and writes and seals what is in them. The keys are asked for when the first cell is to be opened: a program may have to print them. */
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
   * Resolves when cells can be sealed and opened, with the keys as they are by now: whoever changes them restarts no bridge. Rejects as what brings the keys
   * does. `isUnknown`: a value is sealed under none of them. True: there are others than before.
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

  /** `seq`: the number that the value will have. Under another name or number it cannot be opened. Throws what `format` does. */
  seal<T>(name: string, seq: number, value: T, format: Format<T>): Uint8Array {
    return seal(this.#keys(), format.encode(value), `${name}:${seq}`);
  }

  /** Throws UnknownKeyError, NotAuthenticError, and what `format` does. */
  open<T>(name: string, seq: number, sealed: Uint8Array, format: Format<T>): T | undefined {
    return format.decode(open(this.#keys(), sealed, `${name}:${seq}`));
  }

  #keys(): SealingKeys {
    if (this.#loaded === undefined) throw new InternalError('a cell is used before its keys are there');
    return this.#loaded.keys;
  }
}
