import { createHmac } from 'node:crypto';
import type * as z from 'zod/mini';
import { InternalError } from '../../errors.ts';
import { namingSecret, sealingSecret } from '../../protocol/store/store-key.ts';
import { LaterVersionError } from '../files/store-errors.ts';
import { type LoadSecrets, open, type SealingKeys, seal, sealingKeys } from '../sealing/envelope.ts';
import { isOfLaterVersion } from './protocol/cell.ts';

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

/** Values as JSON with a `version`, which is 1. `what`: for the message about a later version. */
export function jsonFormat<Schema extends z.ZodMiniType>(
  what: string,
  schema: Schema,
): Format<z.output<Schema>> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => {
      let value: unknown;
      try {
        value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      } catch {
        return undefined;
      }
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      if (isOfLaterVersion(value)) throw laterVersion(what);
      return undefined;
    },
  };
}

export function laterVersion(what: string): LaterVersionError {
  return new LaterVersionError(`${what} in the shared store was written by a later version of this program`, {
    hint: 'Update this installation, or give it another prefix with --store-prefix.',
    check: 'store.engine',
  });
}

/** The keys as they were given, and what is made from them. */
interface Loaded {
  readonly secrets: readonly Uint8Array[];
  readonly keys: SealingKeys;
  readonly naming: Uint8Array;
}

/** Names cells, and writes and seals their contents. The keys are requested when the first cell is opened: they may come from a program. */
export class CellCodec {
  readonly #load: LoadSecrets;
  readonly #prefix: string;
  #loaded: Loaded | undefined;

  constructor(load: LoadSecrets, prefix: string) {
    this.#load = load;
    this.#prefix = prefix;
  }

  /** The cell of a credential, by its key. Call it when `ready` has resolved. */
  name(key: string, kind: CellKind): string {
    const digest = createHmac('sha256', this.#keys().naming).update(`${this.#prefix} ${key}`).digest('hex');
    return `${this.#prefix}:${digest.slice(0, 32)}:${SUFFIX[kind]}`;
  }

  /** Whether `ready` has resolved. */
  get isReady(): boolean {
    return this.#loaded !== undefined;
  }

  /** The cell with the keys in use. */
  get indexName(): string {
    return `${this.#prefix}:index`;
  }

  /**
   * Resolves when cells can be named, sealed and opened, with the current keys: a change of keys needs no restart of bridges. Rejects as the source of the
   * keys does. `isUnknown`: a value is sealed under none of them. True: the keys have changed.
   */
  async ready(isUnknown = false): Promise<boolean> {
    const before = this.#loaded;
    const secrets = await this.#load(isUnknown);
    if (this.#loaded?.secrets === secrets) return before !== this.#loaded;
    const [first = new Uint8Array()] = secrets;
    const keys = sealingKeys(secrets.map(sealingSecret), PURPOSE);
    // A name never changes under a process that uses it.
    this.#loaded = { secrets, keys, naming: this.#loaded?.naming ?? namingSecret(first) };
    return true;
  }

  /** The id of the key that seals. To be asked for when `ready` has resolved. */
  get keyId(): string {
    return this.#keys().keys[0].id;
  }

  /** `seq`: the number that the value will have. It cannot be opened under another name or number. Throws what `format` throws. */
  seal<T>(name: string, seq: number, value: T, format: Format<T>): Uint8Array {
    return seal(this.#keys().keys, format.encode(value), `${name}:${seq}`);
  }

  /** Throws UnknownKeyError, NotAuthenticError, and what `format` throws. */
  open<T>(name: string, seq: number, sealed: Uint8Array, format: Format<T>): T | undefined {
    return format.decode(open(this.#keys().keys, sealed, `${name}:${seq}`));
  }

  #keys(): Loaded {
    if (this.#loaded === undefined) throw new InternalError('a cell is used before its keys are there');
    return this.#loaded;
  }
}
