import type { Clock } from '../../platform/clock.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import { KeychainError, NotAuthenticError, StoreError, UnknownKeyError } from '../files/store-errors.ts';
import type { KeychainKeys, OpenKeeper } from './keychain-keys.ts';
import { type Marker, readMarker } from './marker.ts';
import { formatSealedFile, parseSealedFile, type SealedFile, sealedName } from './sealed-file.ts';

/** How a file of a record is written: plain, or sealed under one key. */
export interface RecordForm {
  /** Undefined: plain. */
  readonly keyId: string | undefined;
  /** The bytes of the file for the contents of a plain file. Throws StoreError if no reader would accept a file of that size. */
  file(key: string, plain: Uint8Array): Uint8Array;
}

export const PLAIN: RecordForm = { keyId: undefined, file: (_key, plain) => plain };

/** The contents of a record's file. */
export type OpenedFile =
  | { readonly kind: 'opened'; readonly plain: Uint8Array; readonly keyId: string | undefined }
  /** Sealed, and changed since or sealed under another name. */
  | { readonly kind: 'not-authentic' };

/**
 * Reads and writes the records of a folder. A file shows whether it is sealed, so reading needs the marker only then. Writing follows the marker as it is at
 * that moment, whatever options this process was started with.
 */
export class FolderSealing {
  readonly folder: string;
  readonly #openKeeper: OpenKeeper;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #keys: KeychainKeys | undefined;

  constructor(folder: string, openKeeper: OpenKeeper, clock: Pick<Clock, 'monotonic'>) {
    this.folder = folder;
    this.#openKeeper = openKeeper;
    this.#clock = clock;
  }

  /** The keys that this process has read. */
  async keys(): Promise<KeychainKeys> {
    const { KeychainKeys } = await import('./keychain-keys.ts');
    this.#keys ??= new KeychainKeys(this.#openKeeper, () => this.#clock.monotonic());
    return this.#keys;
  }

  /** For the holder of a record's lock. Rejects with KeychainError if records are sealed and the key is unavailable. */
  async form(): Promise<RecordForm> {
    const marker = sealingIn(await readMarker(this.folder));
    return marker === undefined ? PLAIN : this.sealedForm(marker);
  }

  /** Whether records are still written in this form: false if the marker has changed since. */
  async isStill({ keyId }: RecordForm): Promise<boolean> {
    return keyId === sealingIn(await readMarker(this.folder))?.keyId;
  }

  /** Sealed under the key that this marker names. Rejects with KeychainError. */
  async sealedForm({ backend, keyId }: Pick<Marker, 'backend' | 'keyId'>): Promise<RecordForm> {
    const keys = await (await this.keys()).get(backend, keyId);
    const { seal } = await import('./envelope.ts');
    return {
      keyId,
      file: (key, plain) => {
        const file = formatSealedFile({ keyId, envelope: seal(keys, plain, sealedName(key)) });
        // Programs without sealing take a larger file for a broken one, and set it aside.
        if (file.length > MAX_RECORD_BYTES) throw new StoreError('the credential is too large to be kept');
        return file;
      },
    };
  }

  /** Rejects with KeychainError if the file is sealed and the key is unavailable. `again` reads the file once more: it may have been rewritten. */
  async open(key: string, bytes: Uint8Array, again: () => Promise<Uint8Array>): Promise<OpenedFile> {
    const sealed = parseSealedFile(bytes);
    if (sealed === undefined) return { kind: 'opened', plain: bytes, keyId: undefined };
    const marker = await readMarker(this.folder);
    if (marker !== undefined) return this.#opened(key, sealed, marker.backend);
    // `keychain off` may have finished between the two checks.
    const plain = await again();
    if (parseSealedFile(plain) === undefined) return { kind: 'opened', plain, keyId: undefined };
    throw new KeychainError(
      'keychain',
      `the logins in ${this.folder} are sealed, and keychain.json, which names the keychain, is missing there`,
      { hint: 'Run `keychain on`, which finds the key again.' },
    );
  }

  async #opened(key: string, { keyId, envelope }: SealedFile, backend: string): Promise<OpenedFile> {
    const keys = await (await this.keys()).get(backend, keyId);
    const { open } = await import('./envelope.ts');
    try {
      return { kind: 'opened', plain: open(keys, envelope, sealedName(key)), keyId };
    } catch (error) {
      if (error instanceof NotAuthenticError || error instanceof UnknownKeyError)
        return { kind: 'not-authentic' };
      throw error;
    }
  }
}

/** The marker, if it says that new files are sealed. */
function sealingIn(marker: Marker | undefined): Marker | undefined {
  return marker?.state === 'turning-off' ? undefined : marker;
}
