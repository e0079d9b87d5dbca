import type { CredentialRecord, Tokens } from '../../store/record/record.ts';
import type { Stale } from '../refresh/decisions.ts';
import { type Ahead, freshness } from '../refresh/expiry.ts';

export type SignedIn = CredentialRecord & { readonly tokens: Tokens };

export function isSignedIn(record: CredentialRecord): record is SignedIn {
  return record.tokens !== undefined;
}

/**
 * To be called before a bridge sends a token. A token that is due is replaced in the background: while it is valid, no request waits for a slow authorization
 * server. An expired one is replaced first. `replace` never rejects: if no other token is available, the old one is sent, because our clock may be wrong, and
 * the server's 401 brings the reason to the host.
 */
export function replaceIfStale(
  tokens: Tokens,
  { now, ahead }: { readonly now: number; readonly ahead: Ahead | undefined },
  replace: (token: string) => Promise<void>,
): Promise<void> | undefined {
  switch (freshness(tokens, now, ahead)) {
    case 'fresh':
      return undefined;
    case 'due':
      void replace(tokens.accessToken);
      return undefined;
    case 'expired':
      return replace(tokens.accessToken);
  }
}

export interface TokenRequest {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** A token other than the stored one is required, even if that is valid. */
  readonly forceNew: boolean;
  readonly signal: AbortSignal;
}

/**
 * The token that a command prints: the stored one while it is fresh, else the result of `replace`, else the stored one if it has not expired. Undefined: there
 * is none. Rejects with the reason of `replace` if no token is left.
 */
export async function freshOrReplaced(
  stored: SignedIn | undefined,
  { now, forceNew, signal }: TokenRequest,
  replace: (stale: Stale) => Promise<CredentialRecord | undefined>,
): Promise<SignedIn | undefined> {
  const age = stored === undefined || forceNew ? 'expired' : freshness(stored.tokens, now);
  if (age === 'fresh') return stored;
  try {
    const replaced = await replace({ token: stored?.tokens.accessToken, refused: forceNew });
    if (replaced !== undefined && isSignedIn(replaced)) return replaced;
  } catch (error) {
    if (age === 'expired' || signal.aborted) throw error;
  }
  return age === 'due' ? stored : undefined;
}
