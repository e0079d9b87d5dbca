import { NotAuthenticError } from '../../src/store/files/store-errors.ts';
import { CellCodec, type CellKind } from '../../src/store/shared/cell-codec.ts';

const PREFIX = 'model';
const SECRETS = [Buffer.alloc(32, 7)];

/** The program's own: JSON, the schema, AES. */
export const sealingCodec = () => new CellCodec(async () => SECRETS, PREFIX);

/**
 * What is sealed is a number, and the value that it stands for is kept here: writing, reading and sealing take ten times as long as all that is
 * decided about a value. No decision changes a value, so none is copied.
 */
export class ReferringCodec extends CellCodec {
  readonly #values = new WeakMap<
    Uint8Array,
    { readonly name: string; readonly seq: number; readonly value: unknown }
  >();
  readonly #names = new Map<string, string>();
  #count = 0;

  constructor() {
    super(async () => SECRETS, PREFIX);
  }

  override name(key: string, kind: CellKind): string {
    const named = `${key} ${kind}`;
    const name = this.#names.get(named) ?? `${PREFIX}:${key}:${kind}`;
    this.#names.set(named, name);
    return name;
  }

  override seal<T>(name: string, seq: number, value: T): Uint8Array {
    const sealed = new Uint8Array(4);
    new DataView(sealed.buffer).setUint32(0, ++this.#count);
    this.#values.set(sealed, { name, seq, value });
    return sealed;
  }

  override open<T>(name: string, seq: number, sealed: Uint8Array): T | undefined {
    const found = this.#values.get(sealed);
    if (found?.name !== name || found.seq !== seq) throw new NotAuthenticError('sealed under another name');
    return found.value as T;
  }
}
