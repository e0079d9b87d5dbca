import * as z from 'zod/mini';
import { plainText, quote } from '../../protocol/quote.ts';
import type { TokenClient } from '../client/client.ts';
import { authenticateClient } from '../client/client-authentication.ts';
import type { AuthorizationServerMetadata } from '../discovery/metadata.ts';
import { causedBy } from '../errors/oauth-errors.ts';
import { AuthorizationResponseError, SignInFailedError } from '../errors/sign-in-errors.ts';
import { stripSecrets } from '../errors/strip-secrets.ts';
import { type GuardedFetch, PostError } from '../http/guarded-fetch.ts';
import { parseJson } from '../http/json.ts';
import { checkDiscoveredUrl } from '../http/url-policy.ts';
import { readTokenAnswer } from '../token/token-response.ts';

export interface PushOptions {
  readonly fetch: GuardedFetch;
  readonly metadata: AuthorizationServerMetadata;
  readonly client: TokenClient;
  /** The authorization request as it would go through the browser. */
  readonly address: string;
  readonly signal: AbortSignal;
}

/** RFC 9126 §2.2; the reference goes into an address, so it may only contain characters of one. */
const answerSchema = z.object({ request_uri: z.string().check(z.regex(/^[\x21-\x7e]{1,2048}$/)) });

/**
 * RFC 9126, if the server requires it: the request goes directly to the server, and the browser carries a reference. Returns the address to open: the given one
 * if nothing is required.
 */
export async function pushed({ fetch, metadata, client, address, signal }: PushOptions): Promise<string> {
  const { pushedAuthorizationRequestEndpoint: endpoint, issuer, tokenEndpointAuthMethods } = metadata;
  if (endpoint === undefined) return address;
  const what = `the pushed authorization request endpoint of ${quote(issuer)}`;
  const url = checkDiscoveredUrl(endpoint, 'the pushed authorization request endpoint', fetch.policy);
  const authentication = authenticateClient(client, tokenEndpointAuthMethods, { issuer });
  const request = new URL(address);
  const form = new URLSearchParams(request.search);
  for (const [name, value] of Object.entries(authentication.parameters)) form.set(name, value);
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...authentication.headers };
  const answer = await fetch.post({ url, headers, body: form.toString(), signal }).catch((error: unknown) => {
    if (!(error instanceof PostError)) throw error;
    throw new SignInFailedError(`${what} could not be asked`, causedBy(error.cause));
  });
  if (answer.status !== 201 && answer.status !== 200) {
    const read = readTokenAnswer(answer.status, answer.text);
    const { oauthError = '', description } = read.kind === 'error' ? read : {};
    const secrets = [client.clientSecret, authentication.parameters.client_assertion];
    const parts = [plainText(oauthError), description && quote(stripSecrets(description, secrets))];
    throw new AuthorizationResponseError(
      `${what} answered ${answer.status} ${parts.filter(Boolean).join(': ')}`.trimEnd(),
      oauthError,
    );
  }
  const data = z.safeParse(answerSchema, parseJson(answer.text));
  if (!data.success) throw new SignInFailedError(`${what} returned no usable reference`);
  // §4: the parameters in the endpoint's own address stay; of the request only these two are added.
  const short = new URL(metadata.authorizationEndpoint ?? address);
  short.searchParams.set('client_id', client.clientId);
  short.searchParams.set('request_uri', data.data.request_uri);
  return short.href;
}
