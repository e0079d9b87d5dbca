import { expectBound, expectResource } from '../../commands/tokens/store-imported.ts';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../errors.ts';
import { KeychainError } from '../../store/files/store-errors.ts';
import type { Store } from '../../store/port/store.ts';
import { canonicalServer } from '../../store/record/key.ts';
import { portableRecord, readPortable, secretsOfPortable, seedFamily } from '../../store/record/portable.ts';
import { keepSecretsOf } from '../../store/record/secrets.ts';

const NAME = 'MCP_DRAWBRIDGE_CREDENTIALS';

/**
 * Stores the credential from the environment if there is none, or one from an earlier value of the variable. A login made by a person stays, and so does a
 * refreshed version of this credential, since the variable still contains the used refresh token. Rejects with ConfigError for an unusable credential.
 */
export async function seedStore(
  store: Store,
  key: string,
  text: string,
  { server, oauth, now }: Pick<Config, 'server' | 'oauth'> & { readonly now: number },
): Promise<void> {
  const read = readPortable(text);
  if (read.kind === 'unusable') throw new ConfigError(`${NAME}: ${read.reason}`);
  const { credential } = read;
  keepSecretsOf(secretsOfPortable(credential));
  expectBound(credential, oauth.dpop);
  const address = canonicalServer(server);
  if (credential.server !== undefined && canonicalServer(addressOf(credential.server)) !== address) {
    throw new ConfigError(`${NAME} is for another server`);
  }
  if (credential.refresh_token !== undefined && credential.token_endpoint === undefined) {
    throw new ConfigError(`${NAME}: a refresh_token needs token_endpoint`, {
      hint: '`tokens export` writes all that is needed.',
    });
  }
  const resource = expectResource(credential, oauth, `the credential in ${NAME}`);
  const found = await store.read(key, { server: address, resource: oauth.resource });
  const stored = found.kind === 'record' ? found.record : undefined;
  const isOurs = stored === undefined || stored.family.startsWith('seed-');
  if (!isOurs || stored?.family === seedFamily(credential)) return;
  // Machines get a new value one after the other: once there is a login, one that starts later with the old value would restore it.
  if (stored !== undefined && store.isShared === true) return;
  const record = portableRecord(credential, {
    server: address,
    profile: oauth.profile,
    resource,
    now,
  });
  // If two instances start at once, the second write is superseded; both have the same credential.
  await store.write(key, record, stored ?? null);
}

/** Seeds the store; if its keychain is unavailable now, as soon as possible before the store is next read. A bridge keeps running meanwhile. */
export async function seedOrLater(
  store: Store,
  ...seed: Parameters<typeof seedStore> extends [Store, ...infer Rest] ? Rest : never
): Promise<Store> {
  let isDone = false;
  const plant = async () => {
    if (!isDone) await seedStore(store, ...seed);
    isDone = true;
  };
  try {
    await plant();
    return store;
  } catch (error) {
    if (!(error instanceof KeychainError)) throw error;
  }
  return {
    writable: store.writable,
    place: store.place,
    read: async (...asked) => {
      await plant();
      return store.read(...asked);
    },
    write: (...written) => store.write(...written),
    remove: (key) => store.remove(key),
    withLock: (...work) => store.withLock(...work),
  };
}

function addressOf(text: string): URL {
  if (!URL.canParse(text)) throw new ConfigError(`${NAME}: server is not an address`);
  return new URL(text);
}
