import { keepSecretsOf } from '../../store/record/secrets.ts';
import { refreshCredential } from '../refresh/refresh-credential.ts';
import { type AuthorizationOptions, identityOf } from './interactive-authorization.ts';
import { freshOrReplaced, isSignedIn, type SignedIn } from './stale-token.ts';

export type { SignedIn } from './stale-token.ts';

export type ValidToken =
  | { readonly kind: 'token'; readonly record: SignedIn }
  /** Nothing is stored, or it no longer helps. */
  | { readonly kind: 'sign-in' };

/**
 * The credential's token if it is valid, refreshed as by every bridge (one refresh for all). `refused`: the token that the server has refused, which is replaced if
 * it is the stored one. Rejects if no token is available now.
 */
export async function validToken(
  options: AuthorizationOptions,
  signal: AbortSignal,
  refused?: string,
): Promise<ValidToken> {
  const { store, key, clock } = options;
  const identity = identityOf(options);
  const found = await store.read(key, identity);
  if (found.kind !== 'record' || !isSignedIn(found.record)) return { kind: 'sign-in' };
  keepSecretsOf(found.record);
  const forceNew = found.record.tokens.accessToken === refused;
  const wanted = { now: clock.now(), forceNew, signal };
  const record = await freshOrReplaced(found.record, wanted, async (stale) => {
    const sendRefreshRequest = await options.loadRefreshRequest();
    const refreshed = await refreshCredential({ ...options, identity, sendRefreshRequest }, stale, signal);
    if (refreshed.kind === 'postponed') throw refreshed.error;
    return refreshed.kind === 'usable' ? refreshed.record : undefined;
  });
  keepSecretsOf(record);
  return record === undefined ? { kind: 'sign-in' } : { kind: 'token', record };
}
