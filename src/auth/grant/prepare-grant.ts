import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import { keepSecret } from '../../redaction/secrets.ts';
import type { DpopKey } from '../../store/record/record.ts';
import { chooseScope } from '../challenge/scope.ts';
import type { TokenClient } from '../client/client.ts';
import { type Discovered, discover } from '../discovery/discover.ts';
import { type Binding, bindingFor, tokenBinding } from '../dpop/binding.ts';
import type { DpopNonceCache } from '../dpop/proof.ts';
import type { GuardedFetch } from '../http/guarded-fetch.ts';
import type { TokenRequest } from '../token/token-request.ts';

/** The input of a grant: the settings, the server, and the server's challenge. */
export interface GrantRequest extends OAuthSettings {
  readonly server: string;
  readonly challenge: BearerChallenge;
}

export interface GrantDeps {
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly random: Random;
}

/** `browser`: a person is redirected. `device`: a person signs in on another device. `machine`: no sign-in. */
export type GrantFlow = 'browser' | 'device' | 'machine';

/** The preparation that all grants share: where their requests go, and with what. */
export interface PreparedGrant extends Discovered {
  readonly scope: string | undefined;
  readonly binding: Binding;
}

export interface PrepareOptions {
  readonly flow: GrantFlow;
  readonly signal: AbortSignal;
  /** The key of the login being renewed; a sign-in creates a new key, never the last login's. */
  readonly known?: DpopKey | undefined;
  /** Nonces received by other requests of this process. */
  readonly nonces?: DpopNonceCache | undefined;
}

/** Discovers the authorization server, the scope to request, and the key to which tokens are bound, if any. Rejects with a DrawbridgeError. */
export async function prepareGrant(
  request: GrantRequest,
  { fetch, clock, random }: GrantDeps,
  { flow, signal, known, nonces = new Map() }: PrepareOptions,
): Promise<PreparedGrant> {
  const { challenge, dpop: mode } = request;
  const found = await discover({
    server: new URL(request.server),
    challenge,
    settings: request,
    fetch,
    signal,
    flow: flow === 'browser' ? 'redirect' : 'direct',
  });
  // A refresh token saves a person another sign-in: RFC 6749 §4.4.3 has none for a machine.
  const mayBeOffline = flow === 'machine' ? undefined : found.metadata.scopesSupported;
  const scope = chooseScope(challenge.scope, found.scopesSupported, request.scope, mayBeOffline);
  const binding = await bindingFor(
    { mode, challenge, found, isBound: known !== undefined },
    { memory: nonces, clock, random },
    known,
  );
  if (binding.kind === 'bound') keepSecret(binding.key.d);
  return { ...found, scope, binding };
}

/** The part of a token request that is the same for each grant. */
export function tokenRequestOf(
  { issuer, resource, metadata, binding }: PreparedGrant,
  client: TokenClient,
  fetch: GuardedFetch,
  signal: AbortSignal,
): TokenRequest & { readonly signal: AbortSignal } {
  const { tokenEndpoint, tokenEndpointAuthMethods } = metadata;
  return {
    fetch,
    issuer,
    tokenEndpoint,
    tokenEndpointAuthMethods,
    client,
    resource,
    signal,
    binding: tokenBinding(binding),
  };
}
