import type { CommandConfig, Config } from '../../config/config.ts';
import { UsageError } from '../../errors.ts';
import type { LogSink } from '../../platform/log/sink.ts';
import { quote, shownAddress } from '../../protocol/quote.ts';
import { formatStoreUrl, parseStoreUrl, StoreUrlFault } from '../../protocol/store-url.ts';
import { StoreReadOnlyError } from '../../store/files/store-errors.ts';
import { moveToFile, moveToShared } from '../../store/move/move-login.ts';
import { openShared } from '../../store/open-shared.ts';
import { openStore, sealingOf } from '../../store/open-store.ts';
import { keyOf } from '../../store/record/credential-key.ts';
import { canonicalServer } from '../../store/record/key.ts';
import { keepSecretsOf } from '../../store/record/secrets.ts';
import { type StorePlatform, storeSettings } from './open-store.ts';

/** `move URL --to STORE`. Resolves with the output for stdout. Rejects with what `moveToShared` rejects with. */
export async function moveLogin(
  config: Config,
  { force, isMoveToFile }: Pick<CommandConfig, 'force' | 'isMoveToFile'>,
  platform: StorePlatform,
  logger: LogSink,
  signal: AbortSignal,
): Promise<string> {
  const settings = storeSettings(config, platform, logger);
  if (settings.store.kind !== 'shared')
    throw new UsageError('move needs the address of a shared store: with --to, or with --store');
  const file = await openStore({ home: config.home, keychain: config.keychain, logger });
  if (!file.writable)
    throw new StoreReadOnlyError(`the login cannot be moved: ${file.folder} is not writable`);
  const { url, prefix } = settings.store;
  const parsed = parseStoreUrl(url);
  const to = parsed instanceof StoreUrlFault ? url : formatStoreUrl(parsed, true);
  const shared = await openShared(settings);
  try {
    const parts = {
      key: keyOf(config),
      identity: { server: canonicalServer(config.server), resource: config.oauth.resource },
      file: { store: file, sealing: sealingOf(file.folder) },
      shared: shared.store,
      sharedAt: { to, prefix },
      force,
      signal,
    };
    const record = await (isMoveToFile ? moveToFile(parts) : moveToShared(parts));
    keepSecretsOf(record);
    const where = isMoveToFile ? file.folder : to;
    logger.inform(`Moved the login for ${shownAddress(record.server)} to ${quote(where)}.`);
    return '';
  } finally {
    await shared.close();
  }
}
