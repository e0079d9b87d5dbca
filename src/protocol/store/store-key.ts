import { hkdfSync } from 'node:crypto';

/*
 * A key of a shared store, as a file has it in base64 or hex:
 *
 *   32 bytes              logins are sealed under it; names in the engine are made from it too
 *   32 bytes | 32 bytes   logins are sealed under the first half; names are made from the second, which the key has from the one before it
 *
 * So names stay the same when a key takes the place of another: processes that name a login differently would spend one refresh token twice.
 */
const HALF_BYTES = 32;

/** What logins are sealed under, 32 bytes. */
export function sealingSecret(key: Uint8Array): Uint8Array {
  return key.subarray(0, HALF_BYTES);
}

/** What the names of logins in the engine are made from, 32 bytes: whoever reads them and guesses the address of a server cannot check the guess. */
export function namingSecret(key: Uint8Array): Uint8Array {
  if (key.length > HALF_BYTES) return key.subarray(HALF_BYTES);
  return new Uint8Array(hkdfSync('sha256', key, '', 'mcp-drawbridge shared store names', HALF_BYTES));
}

/** The key that is to take the place of this one. `fresh`: 32 random bytes. */
export function nextStoreKey(key: Uint8Array, fresh: Uint8Array): Uint8Array {
  return Buffer.concat([fresh, namingSecret(key)]);
}

/** Whether the keys give the same names, as those of one store do. */
export function areOfOneStore([first, ...others]: readonly Uint8Array[]): boolean {
  if (first === undefined || others.length === 0) return true;
  const naming = namingSecret(first);
  return others.every((key) => Buffer.compare(namingSecret(key), naming) === 0);
}
