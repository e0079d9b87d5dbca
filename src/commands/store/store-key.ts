import { keysIn } from '../../config/options/store-checks.ts';
import { ConfigError, describeError, UsageError } from '../../errors.ts';
import type { Random } from '../../platform/random.ts';
import { quote } from '../../protocol/quote.ts';
import { nextStoreKey } from '../../protocol/store/store-key.ts';

/** AES-256 and HKDF-SHA256 take this many. */
const KEY_BYTES = 32;

/** What `store key` needs. */
export interface StoreKeyParts {
  /** The file to create; without it the key is the output. */
  readonly file: string | undefined;
  /** One more key, as the last line of the file. */
  readonly add: boolean;
  readonly random: Random;
  /** Creates a file that only its owner can read. Throws the system's error, with the code EEXIST for an existing file. */
  readonly write: (path: string, text: string) => void;
  /** Throw the system's error, or ConfigError. */
  readonly read: (path: string) => string;
  readonly append: (path: string, text: string) => void;
}

/** `store key [FILE]`: creates a key for a shared store. Returns the output for stdout. Throws ConfigError and UsageError. */
export function storeKey({ file, add, random, write, read, append }: StoreKeyParts): string {
  const fresh = random.bytes(KEY_BYTES);
  if (add) {
    if (file === undefined || file === '-') throw new UsageError('--add needs the file with the keys');
    addKey(file, fresh, { read, append });
    return '';
  }
  const key = `${Buffer.from(fresh).toString('base64url')}\n`;
  if (file === undefined || file === '-') return key;
  try {
    write(file, key);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new ConfigError(`the key cannot be written: ${describeError(error)}`);
    throw new ConfigError(`${quote(file)} exists already, and may contain a key that is in use`, {
      hint: 'name another file, or add one more key to it with --add; without a file, the key is printed',
    });
  }
  return '';
}

/** The names of logins depend on the key, so one that is to take the place of another is made from that. */
function addKey(
  file: string,
  fresh: Uint8Array,
  { read, append }: Pick<StoreKeyParts, 'read' | 'append'>,
): void {
  try {
    const text = read(file);
    const [first] = keysIn(text) ?? [];
    if (first === undefined) throw new ConfigError('it holds no keys');
    const next = Buffer.from(nextStoreKey(first, fresh)).toString('base64url');
    append(file, `${text.endsWith('\n') ? '' : '\n'}${next}\n`);
  } catch (error) {
    throw new ConfigError(`no key was added to ${quote(file)}: ${describeError(error)}`);
  }
}
