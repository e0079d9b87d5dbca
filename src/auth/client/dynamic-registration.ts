import * as z from 'zod/mini';
import { lenient } from '../../platform/lenient.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import { quote } from '../../protocol/quote.ts';
import type { Client } from '../../store/record/record.ts';
import type { AuthorizationServerMetadata } from '../discovery/metadata.ts';
import { hintOf } from '../errors/hints.ts';
import { causedBy, type NoClientError, RegistrationError } from '../errors/oauth-errors.ts';
import { type GuardedAnswer, type GuardedFetch, PostError } from '../http/guarded-fetch.ts';
import { parseJson } from '../http/json.ts';
import { checkDiscoveredUrl } from '../http/url-policy.ts';
import { noClient } from './client-selection.ts';

export interface RegisterOptions {
  readonly fetch: GuardedFetch;
  readonly metadata: AuthorizationServerMetadata;
  /** Absent: the grant has no redirect (RFC 8628). */
  readonly redirectUri?: string | undefined;
  readonly scope?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The name shown on consent pages. */
const CLIENT_NAME = 'mcp-drawbridge';
/** RFC 8628 §3.4. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** Statuses that mean "not for you" or "not here", permanently. */
const CLOSED_STATUSES = new Set([401, 403, 404, 405, 410, 501]);

/** Visible ASCII and space, up to the store's limit. */
const word = z.string().check(z.regex(/^[\x20-\x7e]{1,4096}$/));

/** The fields of RFC 7591 §3.2.1 that are used; other missing or odd fields do not matter. */
const answerSchema = z.object({
  client_id: word,
  client_secret: lenient(word),
  client_secret_expires_at: lenient(z.coerce.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER))),
  token_endpoint_auth_method: lenient(word),
});
const errorSchema = z.object({ error: lenient(word), error_description: lenient(z.string()) });

/** RFC 7591. Rejects with NoClientError if the server registers no clients, with RegistrationError if this attempt failed. */
export async function registerClient(options: RegisterOptions): Promise<Client> {
  const { fetch, metadata, redirectUri, signal } = options;
  const endpoint = metadata.registrationEndpoint;
  if (endpoint === undefined) throw noClient(metadata.issuer, 'has no registration endpoint', redirectUri);
  const url = checkDiscoveredUrl(endpoint, 'the registration endpoint', fetch.policy);
  const body = JSON.stringify(registrationRequest(options));
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch.post({ url, headers, body, signal }).catch((error: unknown) => {
    if (!(error instanceof PostError)) throw error;
    throw new RegistrationError(`could not register at ${quote(metadata.issuer)}`, causedBy(error.cause));
  });
  if (answer.status !== 201 && answer.status !== 200) throw refusal(metadata.issuer, answer, redirectUri);
  const data = z.safeParse(answerSchema, parseJson(answer.text));
  if (!data.success) {
    throw new RegistrationError(
      `${quote(metadata.issuer)} registered this client, but gave it no usable client id`,
      {
        status: answer.status,
      },
    );
  }
  return client(data.data, redirectUri);
}

/** The registration request: a native app with a loopback redirect (RFC 8252), public unless the server only supports clients with secrets. */
export function registrationRequest(options: Pick<RegisterOptions, 'metadata' | 'redirectUri' | 'scope'>) {
  return {
    client_name: CLIENT_NAME,
    application_type: 'native',
    ...(options.redirectUri === undefined
      ? { redirect_uris: [], grant_types: [DEVICE_GRANT, 'refresh_token'], response_types: [] }
      : {
          redirect_uris: [options.redirectUri],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
        }),
    token_endpoint_auth_method: wantedMethod(options.metadata.tokenEndpointAuthMethods ?? []),
    ...withoutUndefined({ scope: options.scope }),
  };
}

function wantedMethod(supported: readonly string[]): string {
  if (supported.length === 0 || supported.includes('none')) return 'none';
  const withSecret = ['client_secret_basic', 'client_secret_post'];
  return withSecret.find((method) => supported.includes(method)) ?? 'none';
}

function client(data: z.output<typeof answerSchema>, redirectUri: string | undefined): Client {
  const {
    client_secret: secret,
    client_secret_expires_at: expiresAt,
    token_endpoint_auth_method: method,
  } = data;
  return withoutUndefined({
    clientId: data.client_id,
    clientSecret: secret,
    // RFC 7591 §3.2.1: 0 means never.
    clientSecretExpiresAt: secret === undefined || expiresAt === 0 ? undefined : expiresAt,
    tokenEndpointAuthMethod: method,
    redirectUri,
    source: 'registered' as const,
  });
}

function refusal(
  issuer: string,
  { status, text }: GuardedAnswer,
  redirectUri: string | undefined,
): NoClientError | RegistrationError {
  const parsed = z.safeParse(errorSchema, parseJson(text));
  const { error, error_description: description } = parsed.success ? parsed.data : {};
  const why = [error, description].filter((part) => part !== undefined).join(': ');
  const what = `answered the registration with ${status}${why === '' ? '' : `, ${quote(why)}`}`;
  // src/auth/README.md, "GitHub": 422 without an RFC 7591 error is not about this request either.
  const isClosed = CLOSED_STATUSES.has(status) || (status === 422 && error === undefined);
  if (isClosed) return noClient(issuer, what, redirectUri);
  return new RegistrationError(`${quote(issuer)} ${what}`, { status, oauthError: error, ...hintOf(error) });
}
