import type { CredentialRecord, RecordIdentity, Tokens } from '../../store/record/record.ts';
import { secretsOf } from '../../store/record/secrets.ts';
import { freshness } from '../refresh/expiry.ts';
import { refreshCredential } from '../refresh/refresh-credential.ts';
import type { AuthorizationOptions } from './interactive-authorization.ts';

export type SignedIn = CredentialRecord & { readonly tokens: Tokens };

export type ValidToken =
  | { readonly kind: 'token'; readonly record: SignedIn }
  /** Nothing is stored, or what is stored no longer helps. */
  | { readonly kind: 'sign-in' };

/** The credential's token if it serves, refreshed as every bridge would (one refresh for all). Rejects when it cannot be had now. */
export async function validToken(options: AuthorizationOptions, signal: AbortSignal): Promise<ValidToken> {
  const { store, key, settings, clock, logger } = options;
  const identity: RecordIdentity = { server: settings.server, resource: settings.resource };
  const found = await store.read(key, identity);
  if (found.kind !== 'record' || !isSignedIn(found.record)) return { kind: 'sign-in' };
  const { record } = found;
  const { accessToken } = record.tokens;
  for (const secret of secretsOf(record)) logger.secret(secret);
  const age = freshness(record.tokens, clock.now());
  if (age === 'fresh') return { kind: 'token', record };
  const tools = { ...options, identity, sendRefreshRequest: await options.loadRefreshRequest() };
  const refreshed = await refreshCredential(tools, { token: accessToken, refused: false }, signal);
  if (refreshed.kind === 'usable' && isSignedIn(refreshed.record)) {
    logger.secret(refreshed.record.tokens.accessToken);
    return { kind: 'token', record: refreshed.record };
  }
  // Not past its end: it serves, whatever became of the refresh.
  if (age === 'due') return { kind: 'token', record };
  if (refreshed.kind === 'postponed') throw refreshed.error;
  return { kind: 'sign-in' };
}

export function isSignedIn(record: CredentialRecord): record is SignedIn {
  return record.tokens !== undefined;
}
