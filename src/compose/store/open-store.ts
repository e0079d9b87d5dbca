import type { Config } from '../../config/config.ts';
import type { Environment } from '../../config/sources/environment.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import { openShared, type Shared, type SharedSettings } from '../../store/open-shared.ts';
import { storeSecrets } from '../settings/store-secrets.ts';

/** What of the platform a store needs. */
export interface StorePlatform {
  readonly clock: Clock;
  readonly random: Random;
  readonly env: Environment;
}

/** The store that the settings name. */
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
  return openShared(storeSettings(...settings));
}

/** The same for a command whose work outlasts it: the files also where the settings name the memory of a process. */
export function openLasting(...settings: Parameters<typeof storeSettings>): Promise<Shared> {
  const { store, ...rest } = storeSettings(...settings);
  return openShared({ ...rest, store: store.kind === 'memory' ? { kind: 'file' } : store });
}
