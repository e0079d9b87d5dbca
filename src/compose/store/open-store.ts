import type { Config } from '../../config/config.ts';
import type { Environment } from '../../config/sources/environment.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import { openShared, type Shared, type SharedSettings } from '../../store/open-shared.ts';
import { storeSecrets } from '../settings/store-secrets.ts';

/** The parts of the platform that a store needs. */
export interface StorePlatform {
  readonly clock: Clock;
  readonly random: Random;
  readonly env: Environment;
  /** Called with each store that is opened, by whoever closes them all in the end. */
  readonly onStore?: ((shared: Shared) => void) | undefined;
}

/** The store according to the settings. */
export function storeSettings(
  { home, store, keychain }: Pick<Config, 'home' | 'store' | 'keychain'>,
  { clock, random, env }: StorePlatform,
  logger: Logger,
): SharedSettings {
  if (store.kind !== 'shared') return { home, store, keychain, logger, clock, random };
  const { kind, url, prefix, keys } = store;
  return {
    home,
    store: { kind, url, prefix, secrets: storeSecrets(keys, { env, clock, logger }) },
    logger,
    clock,
    random,
  };
}

/** Opens it. */
export function openConfigured(...settings: Parameters<typeof storeSettings>): Promise<Shared> {
  return opened(storeSettings(...settings), settings[1]);
}

/** The same for a command whose result outlives it: files, even if the settings say memory. */
export function openLasting(...settings: Parameters<typeof storeSettings>): Promise<Shared> {
  const { store, ...rest } = storeSettings(...settings);
  return opened({ ...rest, store: store.kind === 'memory' ? { kind: 'file' } : store }, settings[1]);
}

async function opened(settings: SharedSettings, { onStore }: StorePlatform): Promise<Shared> {
  const shared = await openShared(settings);
  onStore?.(shared);
  return shared;
}
