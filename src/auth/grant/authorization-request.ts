import { createHash } from 'node:crypto';
import { type Random, randomToken, systemRandom } from '../../platform/random.ts';
import { quote } from '../../protocol/quote.ts';
import type { Client } from '../../store/record/record.ts';
import { OFFLINE_ACCESS } from '../challenge/scope.ts';
import type { AuthorizationServerMetadata } from '../discovery/metadata.ts';
import { DiscoveryError } from '../errors/oauth-errors.ts';

export interface AuthorizationRequestOptions {
  readonly metadata: AuthorizationServerMetadata;
  readonly client: Client;
  readonly redirectUri: string;
  readonly scope?: string | undefined;
  readonly state: string;
  readonly resource?: string | undefined;
  /** RFC 9449 §10. */
  readonly dpopJkt?: string | undefined;
  /** The user's `--authorize-param`s; none of them is one of ours. */
  readonly extra?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly random?: Random;
}

export interface AuthorizationRequest {
  /** For the browser; already serialized, so that it contains nothing for a shell to interpret. */
  readonly address: string;
  readonly codeVerifier: string;
}

/** RFC 6749 §4.1.1 with PKCE S256 (RFC 7636) and `resource` byte for byte (RFC 8707). */
export async function authorizationRequest(
  options: AuthorizationRequestOptions,
): Promise<AuthorizationRequest> {
  const { metadata, client, redirectUri, scope, state, resource, extra, random = systemRandom } = options;
  const { dpopJkt } = options;
  if (metadata.authorizationEndpoint === undefined) {
    throw new DiscoveryError(`${quote(metadata.issuer)} has no authorization endpoint`);
  }
  // 256 bits are 43 characters, the shortest verifier that RFC 7636 §4.1 allows.
  const codeVerifier = randomToken(random, 256);
  const url = new URL(metadata.authorizationEndpoint);
  // `set`, not `append`: the endpoint may have parameters of its own (RFC 6749 §3.1), but they must not replace these.
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  };
  set('response_type', 'code');
  set('client_id', client.clientId);
  set('redirect_uri', redirectUri);
  set('state', state);
  set('scope', scope);
  set('resource', resource);
  set('code_challenge', createHash('sha256').update(codeVerifier).digest('base64url'));
  set('code_challenge_method', 'S256');
  set('dpop_jkt', dpopJkt);
  // OpenID Connect Core §11: without it the server ignores offline_access.
  if (scope?.split(' ').includes(OFFLINE_ACCESS)) set('prompt', 'consent');
  for (const [name, value] of extra ?? []) set(name, value);
  return { address: url.href, codeVerifier };
}
