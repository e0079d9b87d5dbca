import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { NotAuthenticError, UnknownKeyError } from '../files/store-errors.ts';

/*
 * A sealed text:
 *
 *   1 | key id (4 bytes) | nonce (12 bytes, random) | ciphertext of AES-256-GCM | tag (16 bytes)
 *
 * The header is authenticated too: a wrong version or key id is refused before anything is decrypted, and a wrong nonce by the tag.
 */
const FORMAT = 1;
export const KEY_ID_BYTES = 4;
/** NIST SP 800-38D §8.2.2: 96 random bits suffice for 2^32 texts under one key; a login is written a few times an hour. */
const NONCE_BYTES = 12;
/** NIST SP 800-38D §5.2.1.2: the longest tag. */
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;
/** How many bytes longer a sealed text is than the text. */
export const SEALING_BYTES = HEADER_BYTES + TAG_BYTES;
/** The length of a secret that keys are derived from, in bytes. */
export const SECRET_BYTES = 32;

const CIPHER = 'aes-256-gcm';

/** The keys of one purpose. The first seals, all open. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];

export interface SealingKey {
  /** 8 hex digits, public: identifies the secret that a sealed text needs. The same secret has another id for another purpose. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/**
 * Resolves with the secrets that keys are derived from, 32 bytes each: the first one seals, all open. Called before each look at an engine, and so is to
 * give the same array as long as they are the same. `isUnknown`: what is stored is sealed under none of them.
 */
export type LoadSecrets = (isUnknown?: boolean) => Promise<readonly Uint8Array[]>;

/**
 * Derives the keys of a purpose with HKDF-SHA256 (RFC 5869) from secrets of 32 random bytes each; a text sealed for one purpose cannot be opened for another.
 * Throws RangeError if there is no secret, or one of another length.
 */
export function sealingKeys(secrets: readonly Uint8Array[], purpose: string): SealingKeys {
  const [first, ...others] = secrets.map((secret) => sealingKey(secret, purpose));
  if (first === undefined) throw new RangeError('no secret to derive a key from');
  return [first, ...others];
}

function sealingKey(secret: Uint8Array, purpose: string): SealingKey {
  if (secret.length !== SECRET_BYTES) throw new RangeError(`a secret has ${SECRET_BYTES} bytes`);
  const derive = (what: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `mcp-drawbridge ${purpose} ${what}`, bytes));
  return { id: derive('id', KEY_ID_BYTES).toString('hex'), key: derive('key', 32) };
}

/** `associatedData` is not stored, and has to be the same when the text is opened. */
export function seal(keys: SealingKeys, plaintext: Uint8Array, associatedData: string): Uint8Array {
  const [{ id, key }] = keys;
  const header = Buffer.concat([Buffer.from([FORMAT]), Buffer.from(id, 'hex'), randomBytes(NONCE_BYTES)]);
  const cipher = createCipheriv(CIPHER, key, header.subarray(-NONCE_BYTES), { authTagLength: TAG_BYTES });
  cipher.setAAD(authenticated(header, associatedData));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, ciphertext, cipher.getAuthTag()]);
}

/** Returns the text. Throws UnknownKeyError if none of the keys has sealed it, and NotAuthenticError if it was changed or sealed under another name. */
export function open(keys: SealingKeys, sealed: Uint8Array, associatedData: string): Uint8Array {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  const id = sealedUnder(bytes);
  if (id === undefined) throw new NotAuthenticError('the sealed data is truncated, or of another format');
  const found = keys.find((each) => each.id === id);
  if (found === undefined) throw new UnknownKeyError(`sealed under the key ${id}, which is not available`);
  const header = bytes.subarray(0, HEADER_BYTES);
  const decipher = createDecipheriv(CIPHER, found.key, header.subarray(-NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(authenticated(header, associatedData));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plaintext = decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES));
  try {
    // Nothing is returned before the tag has been checked.
    return Buffer.concat([plaintext, decipher.final()]);
  } catch (error) {
    throw new NotAuthenticError('the sealed data was changed, or belongs to another name', {
      cause: error,
    });
  }
}

/** The id of the required key, 8 hex digits; undefined if this is not a sealed text, or one of another version. */
export function sealedUnder(sealed: Uint8Array): string | undefined {
  if (sealed.length < SEALING_BYTES || sealed[0] !== FORMAT) return undefined;
  return Buffer.from(sealed.subarray(1, 1 + KEY_ID_BYTES)).toString('hex');
}

/** The header has a fixed length, so no two pairs of header and name join to the same bytes. */
function authenticated(header: Uint8Array, associatedData: string): Uint8Array {
  return Buffer.concat([header, Buffer.from(associatedData, 'utf8')]);
}
