import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import { quote } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { PortableCredential } from '../../store/record/portable.ts';
import { discover } from '../discovery/discover.ts';
import { IssuerMismatchError } from '../errors/oauth-errors.ts';
import type { GuardedFetch } from '../http/guarded-fetch.ts';

export interface CompleteOptions {
  readonly server: URL;
  readonly challenge: BearerChallenge | undefined;
  readonly settings: OAuthSettings;
  readonly fetch: GuardedFetch;
  readonly signal: AbortSignal;
}

/** Finds the token endpoint for an imported refresh token as a sign-in would: from the server. The issuer has to be the credential's. */
export async function completeImport(
  credential: PortableCredential,
  { challenge = {}, settings, ...options }: CompleteOptions,
): Promise<PortableCredential> {
  // PKCE protects the code, and there is none here.
  const found = await discover({ ...options, challenge, settings: { ...settings, assumePkce: true } });
  const { issuer } = credential;
  if (issuer !== undefined && withoutSlash(issuer) !== withoutSlash(found.issuer)) {
    throw new IssuerMismatchError(
      `the credential is of ${quote(issuer)}, and the server's authorization server is ${quote(found.issuer)}`,
    );
  }
  const { tokenEndpoint, revocationEndpoint, tokenEndpointAuthMethods } = found.metadata;
  return {
    ...credential,
    issuer: found.issuer,
    resource: credential.resource ?? found.resource,
    token_endpoint: tokenEndpoint,
    revocation_endpoint: revocationEndpoint,
    token_endpoint_auth_methods_supported: tokenEndpointAuthMethods?.slice(),
  };
}

/** Programs that parse the issuer before storing it add one. */
const withoutSlash = (issuer: string): string => issuer.replace(/\/$/, '');
