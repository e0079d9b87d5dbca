import type { Revoked } from '../auth/token/revocation.ts';
import { DrawbridgeError, describeError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';
import { quoteAddress } from '../protocol/quote.ts';
import { KeychainError, StoreError, StoreMovedError } from '../store/files/store-errors.ts';
import type { Store } from '../store/port/store.ts';
import type { CredentialRecord } from '../store/record/record.ts';
import { keepSecretsOf } from '../store/record/secrets.ts';

/** What `logout` needs. */
export interface LogoutParts {
  readonly store: Store;
  readonly keys: readonly string[];
  /** The logins that are stored under other keys. */
  readonly others: (key: string) => Promise<readonly CredentialRecord[]>;
  readonly revoke: (record: CredentialRecord) => Promise<Revoked>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** `logout`: revokes and removes the logins under `keys`. Resolves with true if nothing is left, here or at the authorization servers. */
export async function logout(parts: LogoutParts): Promise<boolean> {
  let isClean = true;
  for (const key of parts.keys) {
    try {
      isClean = (await logoutOne(parts, key)) && isClean;
    } catch (error) {
      if (error instanceof StoreMovedError && !error.isUnfinished) {
        await parts.store.remove(key);
        parts.logger.inform(
          `Nothing was revoked: ${describeError(error)}. This folder no longer points there.`,
        );
        isClean = false;
        continue;
      }
      // A record that cannot be read does not stop the logout of the others.
      const isKnown = [StoreError, StoreMovedError, KeychainError].some((each) => error instanceof each);
      if (!isKnown || !(error instanceof DrawbridgeError)) throw error;
      const hint = error.hint === undefined ? '' : `. ${error.hint}`;
      parts.logger.inform(`Not removed: ${describeError(error)}${hint}`);
      isClean = false;
    }
  }
  return isClean;
}

/** What the logout of one key found and could not do. */
interface Left {
  /** The server of the login that was removed. */
  readonly server: string | undefined;
  /** How many files of earlier, unusable logins were removed. */
  readonly setAside: number;
  /** The first token that could not be revoked. */
  readonly failed: { readonly error: unknown } | undefined;
  /** It was sealed under a key that the keychain no longer has. */
  readonly isLost?: boolean;
}

/**
 * Revokes the tokens before it removes the record, all under the lock: a bridge that refreshed in between would have its token refused and
 * ask the user to sign in. The result of a refresh in flight is not written afterwards, because the record is gone.
 */
async function logoutOne(parts: LogoutParts, key: string): Promise<boolean> {
  const { store, logger, signal } = parts;
  const left = await store.withLock(
    key,
    async (locked): Promise<Left> => {
      const found = await locked.read().catch(lostKey);
      if (found.kind === 'lost') {
        await locked.remove();
        return { server: undefined, setAside: 0, failed: { error: found.error }, isLost: true };
      }
      const record = found.kind === 'record' ? found.record : undefined;
      try {
        const { files, records } = await locked.setAside();
        const earlier = records.length === 0 ? [] : withoutLogins(records, await parts.others(key));
        const failed = await revokeAll(record === undefined ? earlier : [record, ...earlier], parts);
        return { server: record?.server, setAside: files, failed };
      } finally {
        await locked.remove();
      }
    },
    { signal },
  );
  if (left.server !== undefined) logger.inform(`Signed out of ${quoteAddress(left.server)}.`);
  if (left.setAside > 0)
    logger.inform(`Removed earlier logins that were set aside as unusable (${left.setAside}).`);
  if (left.isLost === true) logger.inform('Removed a login that nothing can open any more.');
  else if (left.server === undefined && left.setAside === 0) {
    logger.inform('There was no login.');
    return true;
  }
  if (!store.writable) {
    logger.inform(`The login is still in ${store.place}, because that folder is not writable.`);
    return false;
  }
  if (left.failed === undefined) return true;
  logger.inform(
    `Its tokens could not be revoked and may work until they expire: ${describeError(left.failed.error)}`,
  );
  return false;
}

/** Without its key a login is useless; if the keychain is only locked, it is not. */
function lostKey(error: unknown): { readonly kind: 'lost'; readonly error: KeychainError } {
  if (error instanceof KeychainError && error.code === 'keychain_key_missing') return { kind: 'lost', error };
  throw error;
}

/**
 * Leaves out the records whose tokens another login uses: a record file that was copied over another is set aside, and its tokens still belong
 * to the login that it was copied from.
 */
function withoutLogins(
  records: readonly CredentialRecord[],
  logins: readonly CredentialRecord[],
): CredentialRecord[] {
  const inUse = new Set(logins.flatMap(({ tokens }) => [tokens?.refreshToken, tokens?.accessToken]));
  inUse.delete(undefined);
  return records.filter(({ tokens }) => !inUse.has(tokens?.refreshToken) && !inUse.has(tokens?.accessToken));
}

/** Revokes each token once. After a failure no other request goes to that endpoint, so that an unreachable server costs one time limit. */
async function revokeAll(
  records: readonly CredentialRecord[],
  { revoke }: LogoutParts,
): Promise<Left['failed']> {
  const seen = new Set<string>();
  const given = new Set<string>();
  let failed: Left['failed'];
  for (const record of records) {
    keepSecretsOf(record);
    const { tokens, endpoints } = record;
    const name = JSON.stringify([tokens?.refreshToken, tokens?.accessToken]);
    const endpoint = endpoints.revocation ?? '';
    if (seen.has(name) || given.has(endpoint)) continue;
    seen.add(name);
    const revoked = await revoke(record);
    if (revoked.kind !== 'failed') continue;
    given.add(endpoint);
    failed ??= { error: revoked.error };
  }
  return failed;
}
