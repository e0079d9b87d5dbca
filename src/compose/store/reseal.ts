import { storeReseal } from '../../commands/store/store-reseal.ts';
import type { Config } from '../../config/config.ts';
import { InternalError } from '../../errors.ts';
import type { LogSink } from '../../platform/log/sink.ts';
import { openConfigured, type StorePlatform } from './open-store.ts';

/** `store reseal` on the store in the settings. */
export async function resealStore(
  config: Pick<Config, 'home' | 'store' | 'keychain'>,
  platform: StorePlatform,
  logger: LogSink,
): Promise<boolean> {
  const { store, reseal, close } = await openConfigured(config, platform, logger);
  if (reseal === undefined) throw new InternalError('a store without keys');
  return storeReseal({ reseal, place: store.place, logger }).finally(close);
}
