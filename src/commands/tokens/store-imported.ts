import { ConfigError } from '../../errors.ts';
import type { DpopMode } from '../../protocol/oauth-settings.ts';
import { quote, quoteAddress } from '../../protocol/quote.ts';
import { CredentialPresentError, StoreReadOnlyError } from '../../store/files/store-errors.ts';
import type { Store } from '../../store/port/store.ts';
import {
  isBound,
  type PortableCredential,
  type ResourceWish,
  resourceOf,
} from '../../store/record/portable.ts';
import type { NewRecord } from '../../store/record/record.ts';

/** Stores an imported credential. Rejects with CredentialPresentError if there is a login already, unless `force` is set. */
export async function keepImported(
  store: Store,
  key: string,
  record: NewRecord,
  { force, resource }: { readonly force: boolean; readonly resource: string | undefined },
): Promise<void> {
  if (!store.writable) {
    throw new StoreReadOnlyError(`the credential cannot be saved: ${store.place} is not writable`);
  }
  const found = await store.read(key, { server: record.server, resource });
  const stored = found.kind === 'record' ? found.record : undefined;
  const isLogin = stored?.tokens !== undefined && stored.family !== record.family;
  if (isLogin && !force) throw alreadyThere(record.server);
  const written = await store.write(key, record, force ? 'any' : (stored ?? null));
  if (written.kind === 'superseded') throw alreadyThere(record.server);
}

/** Throws a ConfigError if `dpop` is `always` and the credential is not bound to a key (RFC 9449): a bearer token is then not enough. */
export function expectBound(credential: PortableCredential, dpop: DpopMode): void {
  const hasBearer = credential.access_token !== undefined && !isBound(credential);
  if (dpop !== 'always' || (credential.dpop_jwk !== undefined && !hasBearer)) return;
  throw new ConfigError('the credential is not bound to a key, but --dpop always requires one', {
    hint: 'Sign in with --dpop always, or use the credential without that option.',
  });
}

/** The `resource` (RFC 8707) to use with the credential. Throws a ConfigError, which calls the credential `what`, if it is for another. */
export function expectResource(
  credential: PortableCredential,
  wish: ResourceWish,
  what: string,
): string | undefined {
  const found = resourceOf(credential, wish);
  if (found.kind === 'resource') return found.resource;
  const [issuedFor, wanted] = [quote(credential.resource ?? ''), quote(wish.resource ?? '')];
  throw new ConfigError(`${what} is for the resource ${issuedFor}, but --resource asks for ${wanted}`, {
    hint: 'Leave --resource out, or provide a credential that was issued for that resource.',
  });
}

function alreadyThere(server: string): CredentialPresentError {
  return new CredentialPresentError(`there is already a login for ${quoteAddress(server)}`, {
    hint: 'Add --force to replace it.',
  });
}
