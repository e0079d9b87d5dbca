import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import { quote } from '../../protocol/quote.ts';
import type { AuthorizationServerMetadata } from '../discovery/metadata.ts';
import { DiscoveryError, NoClientError } from '../errors/oauth-errors.ts';
import { configuredClient, type SigningDeps, type TokenClient } from './client.ts';

/**
 * The client that needs no registration (MCP, Authorization → Client Registration Approaches): the one configured by the user, else a metadata document if the
 * server supports it. Undefined: a client has to be registered.
 */
export function namedClient(
  { client, clientMetadataUrl }: OAuthSettings,
  metadata: AuthorizationServerMetadata,
  deps: SigningDeps,
): TokenClient | undefined {
  const named = client === undefined ? undefined : configuredClient(client, deps);
  if (clientMetadataUrl === undefined) return named;
  if (metadata.takesMetadataDocuments === true) {
    // The key for the document (private_key_jwt).
    if (named !== undefined) return { ...named, source: 'metadata-document' };
    return { clientId: clientMetadataUrl, source: 'metadata-document', tokenEndpointAuthMethod: 'none' };
  }
  if (metadata.registrationEndpoint !== undefined) return undefined;
  throw new DiscoveryError(
    `${quote(metadata.issuer)} neither supports Client ID Metadata Documents nor registers clients`,
    { hint: 'It requires a client id from its operator: --client-id.' },
  );
}

/** No way to a client id is left: what to get from whom, and where to configure it. */
export function noClient(issuer: string, what: string, redirectUri: string | undefined): NoClientError {
  const redirect =
    redirectUri === undefined
      ? ''
      : `, with the redirect URI ${quote(redirectUri)} (any port, or fix one with --callback-port)`;
  return new NoClientError(`${quote(issuer)} ${what}`, {
    hint:
      `It does not register clients automatically. Ask its operator for a client of a native application${redirect}, ` +
      'then add "--client-id", "ID" to the arguments of this bridge, and "--client-secret-env", "VARIABLE" if it comes with a secret. ' +
      'Or get an access token there, and put it into MCP_DRAWBRIDGE_TOKEN.',
  });
}
