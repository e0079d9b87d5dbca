import { randomBytes } from 'node:crypto';
import { KeychainError, type KeychainErrorCode } from '../files/store-errors.ts';
import { SECRET_BYTES, type SealingKeys, sealingKeys } from './envelope.ts';

/** The purpose of these keys, see `sealingKeys`. */
const PURPOSE = 'records';

/** How long to wait before a keychain that gave no key is asked again, in milliseconds: many calls of a host must not cause many prompts. */
const PAUSE_MS = 2_000;

/** The part of a keychain that keys of logins need (src/keychain). */
export interface KeyKeeper {
  read(account: string): Promise<KeeperAnswer>;
  write(account: string, secret: string): Promise<KeeperOutcome>;
  erase(account: string): Promise<KeeperOutcome>;
}

type Refusal = {
  readonly kind: 'locked' | 'absent' | 'no-bus' | 'timed-out' | 'failed';
  readonly text: string;
  readonly wayOut: string;
};
export type KeeperAnswer =
  | { readonly kind: 'found'; readonly secret: string }
  | { readonly kind: 'not-found' }
  | Refusal;
export type KeeperOutcome = { readonly kind: 'done' } | { readonly kind: 'not-found' } | Refusal;

export type OpenKeeper = (backend: string) => Promise<KeyKeeper>;

const CODES: Readonly<Record<Refusal['kind'], KeychainErrorCode>> = {
  locked: 'keychain_locked',
  absent: 'keychain_absent',
  'no-bus': 'keychain_no_bus',
  'timed-out': 'keychain',
  failed: 'keychain',
};

/** Keys that this process has read from a keychain. Each is read once; a failed read is repeated, but not at once. */
export class KeychainKeys {
  readonly #open: OpenKeeper;
  readonly #monotonic: () => number;
  readonly #keys = new Map<string, Promise<SealingKeys>>();
  readonly #failures = new Map<string, { readonly error: unknown; readonly at: number }>();

  constructor(open: OpenKeeper, monotonic: () => number) {
    this.#open = open;
    this.#monotonic = monotonic;
  }

  /** The key with this id. Rejects with KeychainError. */
  get(backend: string, keyId: string): Promise<SealingKeys> {
    const name = `${backend} ${keyId}`;
    const failure = this.#failures.get(name);
    if (failure !== undefined && this.#monotonic() - failure.at < PAUSE_MS)
      return Promise.reject(failure.error);
    const known = this.#keys.get(name) ?? this.#read(backend, keyId);
    this.#keys.set(name, known);
    known.then(
      () => this.#failures.delete(name),
      (error: unknown) => {
        this.#keys.delete(name);
        this.#failures.set(name, { error, at: this.#monotonic() });
      },
    );
    return known;
  }

  async #read(backend: string, keyId: string): Promise<SealingKeys> {
    const answer = await (await this.#open(backend)).read(keyId);
    if (answer.kind === 'not-found') {
      throw new KeychainError(
        'keychain_key_missing',
        `the logins are sealed under the key ${keyId}, which the keychain (${backend}) does not have`,
        {
          hint: 'Bring the keychain back, or run `logout` for these logins, `keychain on` and `login`.',
        },
      );
    }
    if (answer.kind !== 'found') throw refused(answer);
    const keys = keysIn(answer.secret);
    if (keys?.[0].id === keyId) return keys;
    throw new KeychainError(
      'keychain',
      `what the keychain (${backend}) has under ${keyId} is not the key of the logins`,
      {
        hint: 'Put the right item back into the keychain.',
      },
    );
  }

  /** Creates a key and stores it in the keychain. Resolves with its id when it can be read back. Rejects with KeychainError. */
  async create(backend: string): Promise<string> {
    const secret = randomBytes(SECRET_BYTES);
    const [{ id }] = sealingKeys([secret], PURPOSE);
    const outcome = await (await this.#open(backend)).write(id, secret.toString('base64url'));
    if (outcome.kind !== 'done' && outcome.kind !== 'not-found') throw refused(outcome);
    await this.get(backend, id);
    return id;
  }

  async erase(backend: string, keyId: string): Promise<void> {
    const outcome = await (await this.#open(backend)).erase(keyId);
    this.#keys.delete(`${backend} ${keyId}`);
    if (outcome.kind !== 'done' && outcome.kind !== 'not-found') throw refused(outcome);
  }
}

function keysIn(secret: string): SealingKeys | undefined {
  const bytes = Buffer.from(secret.trim(), 'base64url');
  return bytes.length === SECRET_BYTES ? sealingKeys([bytes], PURPOSE) : undefined;
}

function refused({ kind, text, wayOut }: Refusal): KeychainError {
  return new KeychainError(CODES[kind], text, { hint: wayOut });
}
