import type { Clock } from '../../platform/clock.ts';
import { type Random, systemRandom } from '../../platform/random.ts';
import type { TokenBinding } from '../../protocol/access-token.ts';
import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import { withSecrets } from '../client/client.ts';
import type { DpopNonceCache } from '../dpop/proof.ts';
import { TokenEndpointError } from '../errors/oauth-errors.ts';
import { type CreateGuardedHttp, withGuardedFetch } from '../http/guarded-fetch.ts';
import { idTokenAsBearer } from '../token/id-token-as-bearer.ts';
import { refresh } from '../token/token-request.ts';
import type { SendRefreshRequest } from './refresh-credential.ts';

export interface RefreshRequestOptions {
  readonly server: URL;
  readonly allowHttp: boolean;
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly settings: OAuthSettings;
  readonly proofMemory?: DpopNonceCache | undefined;
  readonly createHttp: CreateGuardedHttp;
}

/** The token request of a refresh (RFC 6749 §6). It opens and closes its own connections: a refresh is too rare to keep any. */
export function createRefreshRequest(options: RefreshRequestOptions): SendRefreshRequest {
  const { server, allowHttp, clock, settings, random = systemRandom } = options;
  return async (record, refreshToken, signal) => {
    const createHttp: CreateGuardedHttp = (allow) =>
      options.createHttp(allow).catch((cause) => {
        throw new TokenEndpointError('no connection can be made', { sent: 'no', cause });
      });
    return withGuardedFetch({ server, allowHttp, clock, createHttp }, async (fetch) => {
      const answer = await refresh({
        fetch,
        issuer: record.issuer,
        tokenEndpoint: record.endpoints.token,
        tokenEndpointAuthMethods: record.tokenEndpointAuthMethods,
        client: withSecrets(record.client, settings.client, { clock, random }),
        refreshToken,
        scope: settings.scopeOnTokenRequests ? record.requestedScope : undefined,
        resource: record.resource,
        binding: await recordBinding(record, { ...options, random }),
        signal,
      });
      return settings.useIdToken ? idTokenAsBearer(answer, clock.now()) : answer;
    });
  };
}

/** RFC 9449 §5: a refresh token that was issued for a key is accepted only with a proof by that key. */
async function recordBinding(
  { dpopKey }: CredentialRecord,
  {
    settings: { dpop },
    proofMemory: memory = new Map(),
    clock,
    random,
  }: RefreshRequestOptions & { readonly random: Random },
): Promise<TokenBinding | undefined> {
  if (dpopKey === undefined) return undefined;
  const { createDpopProofs } = await import('../dpop/proof.ts');
  return { dpopProofs: createDpopProofs(dpopKey, { memory, clock, random }), only: dpop === 'always' };
}
