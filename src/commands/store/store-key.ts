import { ConfigError, describeError } from '../../errors.ts';
import type { Random } from '../../platform/random.ts';
import { quote } from '../../protocol/quote.ts';

/** AES-256 and HKDF-SHA256 take this many. */
const KEY_BYTES = 32;

/** What `store key` needs. */
export interface StoreKeyParts {
  /** The file to create; without it the key is the output. */
  readonly file: string | undefined;
  readonly random: Random;
  /** Creates a file that only its owner can read. Throws the system's error, with the code EEXIST for an existing file. */
  readonly write: (path: string, text: string) => void;
}

/** `store key [FILE]`: creates a key for a shared store. Returns the output for stdout. Throws ConfigError. */
export function storeKey({ file, random, write }: StoreKeyParts): string {
  const key = `${Buffer.from(random.bytes(KEY_BYTES)).toString('base64url')}\n`;
  if (file === undefined || file === '-') return key;
  try {
    write(file, key);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new ConfigError(`the key cannot be written: ${describeError(error)}`);
    throw new ConfigError(`${quote(file)} exists already, and may hold a key that is in use`, {
      hint: 'name another file; without a file, the key is printed',
    });
  }
  return '';
}
