import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { ConfiguredClient } from '../../protocol/oauth-settings.ts';
import { configuredClient, type SigningDeps } from '../client/client.ts';
import { TokenEndpointError } from '../errors/oauth-errors.ts';
import type { GuardedFetch } from '../http/guarded-fetch.ts';
import { requestTokens } from '../token/token-request.ts';

/** RFC 7523 §2.1. */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';

export interface IdTokenExchange extends SigningDeps {
  readonly fetch: GuardedFetch;
  readonly idpTokenEndpoint: string;
  readonly idpClientId: string;
  /** If the identity provider requires one: another client than at the MCP server's authorization server. */
  readonly idpClientSecret?: string | undefined;
  readonly idpSigningKey?: string | undefined;
  readonly idToken: string;
  /** Of the MCP server's authorization server, which will accept the grant. */
  readonly issuer: string;
  readonly resource: string | undefined;
  readonly scope: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Enterprise-Managed Authorization: exchanges the person's ID token for an Identity Assertion Authorization Grant (RFC 8693 §2.1), which is valid only for this
 * authorization server and is not a token for anything else.
 */
export async function exchangeIdToken(options: IdTokenExchange): Promise<string> {
  const { fetch, idpTokenEndpoint, idpClientId, idToken, issuer, resource, scope, signal } = options;
  const idpClient: ConfiguredClient = {
    clientId: idpClientId,
    clientSecret: options.idpClientSecret,
    signingKey: options.idpSigningKey,
  };
  // The user configured it: it may be on the company's own network, as discovered addresses may not.
  fetch.policy.addresses.vouchFor(new URL(idpTokenEndpoint).hostname);
  const answer = await requestTokens(
    {
      fetch,
      tokenEndpoint: idpTokenEndpoint,
      // RFC 7523 §3: its issuer is unknown here, and an assertion for this address is sent nowhere else.
      issuer: idpTokenEndpoint,
      resource,
      signal,
      client: configuredClient(idpClient, options, '--idp-client-key'),
      tokenTypes: /^n_a$/i,
    },
    {
      grant_type: TOKEN_EXCHANGE,
      requested_token_type: ID_JAG,
      audience: issuer,
      subject_token: idToken,
      subject_token_type: ID_TOKEN,
      ...withoutUndefined({ scope }),
    },
  );
  if (answer.issuedTokenType !== undefined && answer.issuedTokenType !== ID_JAG) {
    throw new TokenEndpointError('the identity provider did not issue an authorization grant', {
      sent: 'answered',
      status: 200,
    });
  }
  return answer.accessToken;
}
