import type { Config, StoreKeys } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';
import { openShared, type Shared, type SharedSettings } from '../store/open-shared.ts';
import type { Platform } from './platform.ts';

/** The store that the settings name. */
export function storeSettings(
  { home, store, keychain }: Pick<Config, 'home' | 'store' | 'keychain'>,
  { clock, random }: Pick<Platform, 'clock' | 'random'>,
  logger: Logger,
): SharedSettings {
  if (store.kind !== 'shared') return { home, store, keychain, logger, clock, random };
  const { kind, url, prefix, keys } = store;
  return { home, store: { kind, url, prefix, secrets: () => secretsOf(keys) }, logger, clock, random };
}

async function secretsOf(keys: StoreKeys): Promise<readonly Uint8Array[]> {
  if (keys.kind === 'secrets') return keys.secrets;
  throw new ConfigError('--store-key-command is not there yet');
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
