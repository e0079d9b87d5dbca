import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import type { Store } from '../../store/port/store.ts';
import type { RecordIdentity } from '../../store/record/record.ts';
import type { DpopNonceCache } from '../dpop/proof.ts';
import type { SendRefreshRequest } from '../refresh/refresh-credential.ts';
import type { EnsureSignInDeps } from '../sign-in/ensure.ts';
import { CredentialAuthorization } from './credential-authorization.ts';
import type { HasIssuerChanged } from './issuer-change.ts';
import type { ReplaceToken } from './token-replacement.ts';

/** A credential obtained by a sign-in: its identity, and the ports to store and renew it. */
export interface AuthorizationOptions {
  readonly store: Store;
  readonly key: string;
  readonly leases: EnsureSignInDeps['leases'];
  readonly settings: EnsureSignInDeps['settings'];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Awaited before the refresh token is reserved: a missing program file (an update) must not look like a lost response. */
  readonly loadRefreshRequest: () => Promise<SendRefreshRequest>;
  /** Shared with `loadRefreshRequest`. */
  readonly proofMemory?: DpopNonceCache | undefined;
  readonly hasIssuerChanged: HasIssuerChanged;
  readonly launch: EnsureSignInDeps['launch'];
  /** No sign-in can be started here: what a person can do elsewhere. */
  readonly nonInteractiveReason?: { readonly hint: string } | undefined;
  /** Closes the store. Absent: nothing to close. */
  readonly closeStore?: (() => Promise<void>) | undefined;
}

/** The authorization of a bridge whose credential is obtained by a sign-in: it is renewed by the refresh token, else by a sign-in. */
export function createInteractiveAuthorization(options: AuthorizationOptions): CredentialAuthorization {
  const { store, key, leases, settings, clock, random, logger, proofMemory = new Map() } = options;
  const { hasIssuerChanged, launch, nonInteractiveReason, closeStore } = options;
  return new CredentialAuthorization({
    store,
    key,
    identity: identityOf(options),
    clock,
    random,
    logger,
    proofMemory,
    closeStore,
    replaceToken: refreshToken(options),
    person: {
      leases,
      key,
      clock,
      settings,
      launch,
      nonInteractiveReason,
      hasIssuerChanged,
      dpop: settings.dpop,
    },
  });
}

/** The login that the store identifies. */
export function identityOf({ settings }: AuthorizationOptions): RecordIdentity {
  return { server: settings.server, resource: settings.resource };
}

function refreshToken(options: AuthorizationOptions): ReplaceToken {
  return async (stale, _challenge, signal) => {
    const [{ refreshCredential }, sendRefreshRequest] = await Promise.all([
      import('../refresh/refresh-credential.ts'),
      options.loadRefreshRequest(),
    ]);
    return refreshCredential(
      { ...options, identity: identityOf(options), sendRefreshRequest },
      stale,
      signal,
    );
  };
}
