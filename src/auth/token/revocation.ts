import type { CredentialRecord } from '../../store/record/record.ts';
import type { TokenClient } from '../client/client.ts';
import { authenticateClient } from '../client/client-authentication.ts';
import { BadAnswerError } from '../errors/oauth-errors.ts';
import type { GuardedFetch } from '../http/guarded-fetch.ts';
import { checkDiscoveredUrl } from '../http/url-policy.ts';

export type Revoked =
  | { readonly kind: 'revoked' }
  /** The authorization server has no revocation endpoint, or there is nothing to revoke. */
  | { readonly kind: 'not-offered' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** RFC 7009 §2.1. The refresh token first: revoking it ends the grant at most servers, and the access token with it. */
export async function revokeTokens(
  record: CredentialRecord,
  client: TokenClient | undefined,
  fetch: GuardedFetch,
  signal: AbortSignal,
): Promise<Revoked> {
  const { endpoints, issuer, tokens } = record;
  if (endpoints.revocation === undefined || client === undefined || tokens === undefined) {
    return { kind: 'not-offered' };
  }
  try {
    const { hostname } = new URL(endpoints.revocation);
    // The sign-in that wrote the record has checked this address.
    fetch.policy.addresses.vouchFor(hostname);
    const url = checkDiscoveredUrl(endpoints.revocation, 'the revocation endpoint', fetch.policy);
    for (const [hint, token] of [
      ['refresh_token', tokens.refreshToken],
      ['access_token', tokens.accessToken],
    ] as const) {
      if (token === undefined) continue;
      // Built for each request: an assertion may be used once (RFC 7523 §3, `jti`).
      const { headers, parameters } = authenticateClient(client, record.tokenEndpointAuthMethods, { issuer });
      const body = new URLSearchParams({ token, token_type_hint: hint, ...parameters }).toString();
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const { status } = await fetch.post({ url, headers: { ...type, ...headers }, body, signal });
      // RFC 7009 §2.2: 200 for an unknown token too, so anything else is a failure.
      if (status !== 200 && status !== 204)
        throw new BadAnswerError(`the revocation endpoint answered ${status}`);
    }
    return { kind: 'revoked' };
  } catch (error) {
    return { kind: 'failed', error };
  }
}
