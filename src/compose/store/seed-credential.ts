import { expectBound, expectResource } from '../../commands/tokens/store-imported.ts';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../errors.ts';
import type { Store } from '../../store/port/store.ts';
import { canonicalServer } from '../../store/record/key.ts';
import { portableRecord, readPortable, secretsOfPortable, seedFamily } from '../../store/record/portable.ts';
import { keepSecretsOf } from '../../store/record/secrets.ts';

const NAME = 'MCP_DRAWBRIDGE_CREDENTIALS';

/**
 * The credential from the environment, checked; `plant` stores it if there is none, or one from an earlier value of the variable. A login made by a person
 * stays, and so does a refreshed version of this credential, since the variable still contains the used refresh token. Throws ConfigError for an unusable
 * credential. `plant` rejects as the store does.
 */
export function credentialSeed(
  text: string,
  { server, oauth }: Pick<Config, 'server' | 'oauth'>,
): { plant(store: Store, key: string, now: number): Promise<void> } {
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
  return {
    plant: async (store, key, now) => {
      const found = await store.read(key, { server: address, resource: oauth.resource });
      const stored = found.kind === 'record' ? found.record : undefined;
      const isOurs = stored === undefined || stored.family.startsWith('seed-');
      if (!isOurs || stored?.family === seedFamily(credential)) return;
      // Machines get a new value one after the other: once there is a login, one that starts later with the old value would restore it.
      if (stored !== undefined && store.isShared === true) return;
      const record = portableRecord(credential, { server: address, profile: oauth.profile, resource, now });
      // If two instances start at once, the second write is superseded; both have the same credential.
      await store.write(key, record, stored ?? null);
    },
  };
}

function addressOf(text: string): URL {
  if (!URL.canParse(text)) throw new ConfigError(`${NAME}: server is not an address`);
  return new URL(text);
}
