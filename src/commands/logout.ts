import type { Revoked } from '../auth/token/revocation.ts';
import { describeError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';
import { quote } from '../protocol/quote.ts';
import { StoreError } from '../store/files/store-errors.ts';
import type { CredentialRecord } from '../store/record/record.ts';
import type { Store } from '../store/store.ts';

export interface LogoutParts {
  readonly store: Store;
  readonly keys: readonly string[];
  readonly revoke: (record: CredentialRecord) => Promise<Revoked>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** `logout`: true when nothing of it is left, here or at the authorization servers. */
export async function logout(parts: LogoutParts): Promise<boolean> {
  let isClean = true;
  for (const key of parts.keys) {
    try {
      isClean = (await logoutOne(parts, key)) && isClean;
    } catch (error) {
      // One that cannot be read keeps nobody signed in elsewhere.
      if (!(error instanceof StoreError)) throw error;
      parts.logger.tell(`Left as it is: ${describeError(error)}`);
      isClean = false;
    }
  }
  return isClean;
}

/**
 * Revoked first and under the lock: a bridge that refreshed in between would find its token refused and ask the person to sign in. What a
 * refresh in flight brings afterwards is not written.
 */
async function logoutOne({ store, revoke, logger, signal }: LogoutParts, key: string): Promise<boolean> {
  const left = await store.withLock(
    key,
    async (held): Promise<{ readonly server?: string; readonly revoked?: Revoked }> => {
      const found = await held.read();
      if (found.kind !== 'record') {
        await held.remove();
        return {};
      }
      const { tokens, client, server } = found.record;
      for (const secret of [tokens?.accessToken, tokens?.refreshToken, client?.clientSecret]) {
        if (secret !== undefined) logger.secret(secret);
      }
      try {
        return { server, revoked: await revoke(found.record) };
      } finally {
        await held.remove();
      }
    },
    { signal },
  );
  if (left.server === undefined) {
    logger.tell('There was no login.');
    return true;
  }
  logger.tell(`Signed out of ${quote(left.server)}.`);
  if (!store.writable) {
    logger.tell(`The login is still in ${store.folder}, which cannot be written.`);
    return false;
  }
  if (left.revoked?.kind !== 'failed') return true;
  logger.tell(
    `Its tokens could not be revoked and may work until they expire: ${describeError(left.revoked.error)}`,
  );
  return false;
}
