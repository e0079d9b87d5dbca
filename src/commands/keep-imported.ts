import { quote } from '../protocol/quote.ts';
import type { NewRecord } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import { CredentialPresentError, StoreReadOnlyError } from '../store/store-errors.ts';

/** Keeps what was brought from elsewhere; a login that is there gives way only to `--force`. */
export async function keepImported(
  store: Store,
  key: string,
  record: NewRecord,
  force: boolean,
): Promise<void> {
  if (!store.writable) {
    throw new StoreReadOnlyError(`the credential cannot be kept: ${store.folder} cannot be written`);
  }
  const found = await store.read(key, { server: record.server });
  const stored = found.kind === 'record' ? found.record : undefined;
  const isLogin = stored?.tokens !== undefined && stored.family !== record.family;
  if (isLogin && !force) throw alreadyThere(record.server);
  const written = await store.write(key, record, force ? 'any' : (stored ?? null));
  if (written.kind === 'superseded') throw alreadyThere(record.server);
}

function alreadyThere(server: string): CredentialPresentError {
  return new CredentialPresentError(`there is a login for ${quote(server)} already`, {
    hint: 'Add --force to replace it.',
  });
}
