import { ConfigError } from '../errors.ts';
import type { DpopMode } from '../protocol/oauth-settings.ts';
import { quote, quoteAddress } from '../protocol/quote.ts';
import { CredentialPresentError, StoreReadOnlyError } from '../store/files/store-errors.ts';
import { isBound, type PortableCredential, type ResourceWish, resourceOf } from '../store/record/portable.ts';
import type { NewRecord } from '../store/record/record.ts';
import type { Store } from '../store/store.ts';

/** Keeps what was brought from elsewhere; a login that is there gives way only to `--force`. */
export async function keepImported(
  store: Store,
  key: string,
  record: NewRecord,
  { force, resource }: { readonly force: boolean; readonly resource: string | undefined },
): Promise<void> {
  if (!store.writable) {
    throw new StoreReadOnlyError(`the credential cannot be kept: ${store.folder} cannot be written`);
  }
  const found = await store.read(key, { server: record.server, resource });
  const stored = found.kind === 'record' ? found.record : undefined;
  const isLogin = stored?.tokens !== undefined && stored.family !== record.family;
  if (isLogin && !force) throw alreadyThere(record.server);
  const written = await store.write(key, record, force ? 'any' : (stored ?? null));
  if (written.kind === 'superseded') throw alreadyThere(record.server);
}

/** `--dpop always`: a bearer token will not do, wherever it comes from. */
export function expectBound(credential: PortableCredential, dpop: DpopMode): void {
  const hasBearer = credential.access_token !== undefined && !isBound(credential);
  if (dpop !== 'always' || (credential.dpop_jwk !== undefined && !hasBearer)) return;
  throw new ConfigError('the credential is not bound to a key, which --dpop always asks for', {
    hint: 'Sign in with --dpop always, or bring the credential along without it.',
  });
}

/** The `resource` that goes with what was brought along. `what` names it, for the person. */
export function expectResource(
  credential: PortableCredential,
  wish: ResourceWish,
  what: string,
): string | undefined {
  const found = resourceOf(credential, wish);
  if (found.kind === 'resource') return found.resource;
  const [issuedFor, wanted] = [quote(credential.resource ?? ''), quote(wish.resource ?? '')];
  throw new ConfigError(`${what} is for the resource ${issuedFor}, and --resource asks for ${wanted}`, {
    hint: 'Leave --resource out, or bring along a credential that was issued for that resource.',
  });
}

function alreadyThere(server: string): CredentialPresentError {
  return new CredentialPresentError(`there is a login for ${quoteAddress(server)} already`, {
    hint: 'Add --force to replace it.',
  });
}
