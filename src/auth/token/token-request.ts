import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { ProofRetry, TokenBinding } from '../../protocol/access-token.ts';
import { plainText, quote } from '../../protocol/quote.ts';
import { readRetryAfter } from '../../protocol/retry-after.ts';
import { keepSecret } from '../../redaction/secrets.ts';
import type { TokenClient } from '../client/client.ts';
import { authenticateClient } from '../client/client-authentication.ts';
import { hintOf } from '../errors/hints.ts';
import { causedBy, TokenEndpointError } from '../errors/oauth-errors.ts';
import { stripSecrets } from '../errors/strip-secrets.ts';
import { type GuardedAnswer, type GuardedFetch, PostError } from '../http/guarded-fetch.ts';
import { checkDiscoveredUrl } from '../http/url-policy.ts';
import { MIN_SKEW_MS } from '../jwt/signing.ts';
import { ANY_TYPES, BOUND_TYPES, readTokenAnswer, type TokenAnswer } from './token-response.ts';

export type { TokenAnswer };

/*
 * Written here instead of with the SDK's helpers: theirs cannot tell whether a request was sent, on which the reservation depends, support one form of
 * response, and would add 400 KiB to a bridge that only has to refresh. A test compares the requests of both.
 */

export interface TokenRequest {
  readonly fetch: GuardedFetch;
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly tokenEndpointAuthMethods?: readonly string[] | undefined;
  readonly client: TokenClient;
  /** The permitted token types, if not a bearer token. */
  readonly tokenTypes?: RegExp | undefined;
  /** RFC 9449 §5: the tokens shall be bound to its key; `only`: no others are accepted. */
  readonly binding?: TokenBinding | undefined;
  /** Sent byte for byte (RFC 8707); absent: not sent. */
  readonly resource?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RefreshOptions extends TokenRequest {
  readonly refreshToken: string;
  /** Only if the server requires it: without it, the refresh keeps the scope (RFC 6749 §6). */
  readonly scope?: string | undefined;
  readonly signal: AbortSignal;
}

export interface ExchangeOptions extends TokenRequest {
  readonly code: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
  /** If the server requires it here as well (src/auth/README.md, "Entra ID"). */
  readonly scope?: string | undefined;
}

/** RFC 6749 §6. Rejects with TokenEndpointError. */
export function refresh(options: RefreshOptions): Promise<TokenAnswer> {
  // The sign-in that wrote the record has checked this address; the server may not have been reached yet in this process.
  if (URL.canParse(options.tokenEndpoint)) {
    options.fetch.policy.addresses.vouchFor(new URL(options.tokenEndpoint).hostname);
  }
  return requestTokens(options, {
    grant_type: 'refresh_token',
    refresh_token: options.refreshToken,
    ...withoutUndefined({ scope: options.scope }),
  });
}

/** RFC 6749 §4.1.3 with RFC 7636 §4.5. Rejects with TokenEndpointError. */
export function exchangeCode(options: ExchangeOptions): Promise<TokenAnswer> {
  return requestTokens(options, {
    grant_type: 'authorization_code',
    code: options.code,
    code_verifier: options.codeVerifier,
    redirect_uri: options.redirectUri,
    ...withoutUndefined({ scope: options.scope }),
  });
}

/** One token request of any grant. Rejects with TokenEndpointError. */
export async function requestTokens(
  options: TokenRequest,
  grant: Readonly<Record<string, string>>,
): Promise<TokenAnswer> {
  let proof: ProofRetry | undefined;
  let at: number | undefined;
  for (;;) {
    const result = await attempt(options, grant, { at, proof });
    if (result.kind === 'tokens') return result.answer;
    // RFC 9449 §8: only the proof was refused, and the grant was not used: the caller sends it once more, with the nonce or time it received.
    const isNewProof = proof === undefined && result.proofRetry !== undefined;
    // test/README.md, fault 26: client authentication was refused by a server with a different clock: signed once more, with its time.
    const isNewTime = at === undefined && isForItsTime(result, options.client);
    if (isNewProof) proof = result.proofRetry;
    else if (isNewTime) at = result.serverTime;
    else throw result.error;
  }
}

type Refused = Extract<Attempt, { kind: 'refused' }>;

function isForItsTime({ error, serverTime, receivedAt }: Refused, { assertion }: TokenClient): boolean {
  const isSkewed = serverTime !== undefined && Math.abs(serverTime - receivedAt) > MIN_SKEW_MS;
  return assertion !== undefined && error.oauthError === 'invalid_client' && isSkewed;
}

type Attempt =
  | { readonly kind: 'tokens'; readonly answer: TokenAnswer }
  | {
      readonly kind: 'refused';
      readonly error: TokenEndpointError;
      readonly serverTime: number | undefined;
      readonly receivedAt: number;
      readonly proofRetry: ProofRetry | undefined;
    };

async function attempt(
  options: TokenRequest,
  grant: Readonly<Record<string, string>>,
  { at, proof: proofRetry }: { readonly at: number | undefined; readonly proof: ProofRetry | undefined },
): Promise<Attempt> {
  const { client, resource, issuer, binding } = options;
  const authentication = authenticateClient(client, options.tokenEndpointAuthMethods, { issuer, at });
  const parameters = {
    ...grant,
    ...withoutUndefined({ resource }),
    ...authentication.parameters,
  };
  const url = endpointOf(options);
  const dpop = binding?.dpopProofs.proof({ method: 'POST', url, proofRetry });
  const headers = { ...authentication.headers, ...withoutUndefined({ dpop }) };
  const answer = await post(options, url, headers, new URLSearchParams(parameters).toString());
  const boundTypes = binding === undefined ? undefined : binding.only ? BOUND_TYPES : ANY_TYPES;
  const read = readTokenAnswer(answer.status, answer.text, options.tokenTypes ?? boundTypes);
  const oauthError = read.kind === 'error' ? read.oauthError : undefined;
  const again = binding?.dpopProofs.noteResponse(url, { ...answer, oauthError });
  if (read.kind === 'tokens') {
    const { accessToken, refreshToken, idToken } = read.answer;
    for (const token of [accessToken, refreshToken, idToken]) keepSecret(token);
    return read;
  }

  const secrets = [
    client.clientSecret,
    authentication.headers.authorization?.slice('Basic '.length),
    dpop,
    ...secretsOf({ ...grant, ...authentication.parameters }),
  ];
  const what =
    read.kind === 'unusable' ? ` with ${stripSecrets(read.reason, secrets)}` : described(read, secrets);
  const error = new TokenEndpointError(
    `the token endpoint of ${quote(issuer)} answered ${answer.status}${what}`,
    {
      sent: 'answered',
      status: answer.status,
      oauthError,
      ...hintOf(oauthError),
      retryAfterMs: retryAfter(answer),
    },
  );
  const serverTime = serverTimeOf(answer);
  return { kind: 'refused', error, serverTime, receivedAt: answer.receivedAt, proofRetry: again };
}

/** The parts of a grant that must not appear in an error; `scope` and `grant_type` may. */
function secretsOf(grant: Readonly<Record<string, string>>): string[] {
  const names = [
    'refresh_token',
    'code',
    'code_verifier',
    'device_code',
    'assertion',
    'subject_token',
    'client_assertion',
  ];
  return names.flatMap((name) => grant[name] ?? []);
}

async function post(
  { fetch, issuer, signal }: TokenRequest,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<GuardedAnswer> {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  try {
    return await fetch.post({ url, headers: { ...type, ...headers }, body, signal });
  } catch (error) {
    throw error instanceof PostError ? notAsked(issuer, error.cause, error.sent) : error;
  }
}

function endpointOf({ fetch, tokenEndpoint, issuer }: TokenRequest): URL {
  try {
    return checkDiscoveredUrl(tokenEndpoint, 'the token endpoint', fetch.policy);
  } catch (error) {
    throw notAsked(issuer, error, false);
  }
}

function notAsked(issuer: string, cause: unknown, sent: boolean): TokenEndpointError {
  return new TokenEndpointError(`the token endpoint of ${quote(issuer)} could not be asked`, {
    ...causedBy(cause),
    sent: sent ? 'maybe' : 'no',
  });
}

/** If a server repeats the request in its error, the secrets must not reach the host. */
function described(
  error: { readonly oauthError?: string; readonly description?: string },
  secrets: readonly (string | undefined)[],
): string {
  const clean = (text: string) => stripSecrets(text, secrets);
  const code = error.oauthError === undefined ? '' : ` ${plainText(clean(error.oauthError))}`;
  return error.description === undefined ? code : `${code}: ${quote(clean(error.description))}`;
}

/** By the server's own clock if it is known. */
function retryAfter(answer: GuardedAnswer): number | undefined {
  return readRetryAfter(answer.headers['retry-after'], serverTimeOf(answer) ?? answer.receivedAt);
}

function serverTimeOf({ headers }: GuardedAnswer): number | undefined {
  const time = Date.parse(headers.date ?? '');
  return Number.isNaN(time) ? undefined : time;
}
