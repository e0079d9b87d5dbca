import * as z from 'zod/mini';
import { lenient } from '../../platform/lenient.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import { quote } from '../../protocol/quote.ts';
import { authenticateClient } from '../client/client-authentication.ts';
import { namedClient } from '../client/client-selection.ts';
import { DEVICE_GRANT, registerClient } from '../client/dynamic-registration.ts';
import { causedBy, DiscoveryError, TokenEndpointError } from '../errors/oauth-errors.ts';
import { AuthorizationDeniedError, SignInExpiredError } from '../errors/sign-in-errors.ts';
import { stripSecrets } from '../errors/strip-secrets.ts';
import { type GuardedFetch, PostError } from '../http/guarded-fetch.ts';
import { parseJson } from '../http/json.ts';
import { checkDiscoveredUrl } from '../http/url-policy.ts';
import type { SignInRequest } from '../sign-in-request.ts';
import { requestTokens, type TokenAnswer, type TokenRequest } from '../token/token-request.ts';
import type { SignInAttempt, SignInDeps } from './authorization-code.ts';
import { knownClient, newCredential, saveCredential } from './new-record.ts';
import { prepareGrant, tokenRequestOf } from './prepare-grant.ts';

/** .github/SECURITY.md, attack 26: `interval: 0` would flood the server; RFC 8628 §3.5 sets 5 s if the server does not say. */
const MIN_INTERVAL_S = 5;
const MAX_INTERVAL_S = 60;
/** RFC 8628 §3.5: with each `slow_down`. */
const SLOWER_BY_S = 5;
/** .github/SECURITY.md, attack 26: a code without expiry would be polled forever. */
const MAX_LIFETIME_S = 15 * 60;

/** RFC 8628 §3.2. The user code is shown to people: printable, and short enough to type. */
const answerSchema = z.object({
  device_code: z.string().check(z.regex(/^[\x20-\x7e]{1,4096}$/)),
  user_code: z.string().check(z.regex(/^[\x21-\x7e][\x20-\x7e]{0,63}$/)),
  verification_uri: z.optional(z.string()),
  /** Google's name for it. */
  verification_url: z.optional(z.string()),
  verification_uri_complete: lenient(z.string()),
  expires_in: lenient(z.coerce.number()),
  interval: lenient(z.coerce.number()),
});

export interface DeviceAuthorization {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly address: string;
  /** Where the code is entered, if the address contains it already. */
  readonly codeAddress?: string | undefined;
  readonly intervalS: number;
  readonly lifetimeS: number;
}

/** The person signs in on another device: no listener, no browser here. */
export async function deviceSignIn(request: SignInRequest, deps: SignInDeps, attempt: SignInAttempt) {
  const { fetch } = deps;
  const signal = attempt.waiting;
  const plan = await prepareGrant(request, deps, { flow: 'device', signal });
  const { metadata, issuer, scope } = plan;
  const endpoint = metadata.deviceAuthorizationEndpoint;
  if (endpoint === undefined) {
    throw new DiscoveryError(`${quote(issuer)} has no device authorization endpoint (RFC 8628)`, {
      hint: 'Leave out --grant device_code to sign in with a browser.',
    });
  }
  const known = await knownClient(request, deps, issuer);
  const client =
    namedClient(request, metadata, deps) ??
    known ??
    (await registerClient({ fetch, metadata, scope, signal }));
  const token = tokenRequestOf(plan, client, fetch, signal);
  const device = await authorizeDevice(token, endpoint, scope);
  await attempt.show(device.address, device);
  const answer = await poll(token, device, deps);
  const credential = newCredential(request, plan, client, answer, deps);
  return saveCredential(request.key, credential, deps.store);
}

/** RFC 8628 §3.1. */
async function authorizeDevice(
  request: TokenRequest,
  endpoint: string,
  scope: string | undefined,
): Promise<DeviceAuthorization> {
  const { fetch, issuer, client, resource, signal } = request;
  const authentication = authenticateClient(client, request.tokenEndpointAuthMethods, { issuer });
  const body = new URLSearchParams({
    ...withoutUndefined({ scope, resource }),
    ...authentication.parameters,
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...authentication.headers };
  const url = checkDiscoveredUrl(endpoint, 'the device authorization endpoint', fetch.policy);
  const what = `the device authorization endpoint of ${quote(issuer)}`;
  const answer = await fetch.post({ url, headers, body, signal }).catch((error: unknown) => {
    if (!(error instanceof PostError)) throw error;
    const details = { ...causedBy(error.cause), sent: error.sent ? ('maybe' as const) : ('no' as const) };
    throw new TokenEndpointError(`${what} could not be asked`, details);
  });
  if (answer.status !== 200) {
    const secrets = [client.clientSecret, authentication.parameters.client_assertion];
    const words = stripSecrets(answer.text, secrets);
    throw new TokenEndpointError(`${what} answered ${answer.status}: ${quote(words)}`, {
      sent: 'answered',
      status: answer.status,
    });
  }
  const device = readDeviceAuthorization(answer.text, fetch);
  if (device !== undefined) return device;
  throw new TokenEndpointError(`${what} returned no usable code`, { sent: 'answered', status: 200 });
}

/** Undefined: not a response of RFC 8628 §3.2. Throws if an address must not be shown (.github/SECURITY.md, attack 3). */
export function readDeviceAuthorization(
  text: string,
  fetch: Pick<GuardedFetch, 'policy'>,
): DeviceAuthorization | undefined {
  const parsed = z.safeParse(answerSchema, parseJson(text));
  if (!parsed.success) return undefined;
  const data = parsed.data;
  const plain = data.verification_uri ?? data.verification_url;
  const address = data.verification_uri_complete ?? plain;
  if (address === undefined) return undefined;
  const checked = (text: string) => checkDiscoveredUrl(text, 'the verification address', fetch.policy).href;
  return {
    deviceCode: data.device_code,
    userCode: data.user_code,
    address: checked(address),
    codeAddress: plain === undefined || plain === address ? undefined : checked(plain),
    intervalS: between(data.interval, MIN_INTERVAL_S, MAX_INTERVAL_S, MIN_INTERVAL_S),
    lifetimeS: between(data.expires_in, 1, MAX_LIFETIME_S, MAX_LIFETIME_S),
  };
}

function between(value: number | undefined, least: number, most: number, otherwise: number): number {
  if (value === undefined || Number.isNaN(value)) return otherwise;
  return Math.min(Math.max(value, least), most);
}

/** RFC 8628 §3.4, §3.5: never sooner than the server said. */
async function poll(
  request: TokenRequest,
  { deviceCode, intervalS, lifetimeS }: DeviceAuthorization,
  { clock }: Pick<SignInDeps, 'clock'>,
): Promise<TokenAnswer> {
  const { signal = new AbortController().signal, issuer } = request;
  const end = clock.monotonic() + lifetimeS * 1000;
  for (let pauseS = intervalS; ; ) {
    await clock.sleep(pauseS * 1000, signal);
    if (clock.monotonic() > end) throw new SignInExpiredError('the code was not entered in time');
    try {
      return await requestTokens(request, { grant_type: DEVICE_GRANT, device_code: deviceCode });
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error;
      switch (error.oauthError) {
        case 'authorization_pending':
          break;
        case 'slow_down':
          pauseS += SLOWER_BY_S;
          break;
        case 'access_denied':
          throw new AuthorizationDeniedError('access was declined', error.oauthError, { cause: error });
        case 'expired_token':
          throw new SignInExpiredError(`the code is no longer valid at ${quote(issuer)}`, { cause: error });
        default:
          // §3.5: without a response, wait longer; with another error, stop.
          if (error.sent === 'answered' && (error.status ?? 0) < 500) throw error;
          pauseS = Math.min(pauseS * 2, MAX_INTERVAL_S);
      }
    }
  }
}
