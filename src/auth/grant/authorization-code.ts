import type { Clock } from '../../platform/clock.ts';
import { CallbackPortError, type Listen } from '../../platform/http/loopback-listener.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import { quote } from '../../protocol/quote.ts';
import type { Store } from '../../store/port/store.ts';
import type { Client, CredentialRecord } from '../../store/record/record.ts';
import { failurePage, redirectAnswer, successPage } from '../callback/pages.ts';
import { type Arrival, type RedirectReceiver, registeredPort } from '../callback/receiver.ts';
import type { TokenClient } from '../client/client.ts';
import { namedClient } from '../client/client-selection.ts';
import { registerClient } from '../client/dynamic-registration.ts';
import { keyThumbprint } from '../dpop/binding.ts';
import { TokenEndpointError } from '../errors/oauth-errors.ts';
import {
  AuthorizationDeniedError,
  AuthorizationResponseError,
  CallbackIssuerError,
  SignInFailedError,
} from '../errors/sign-in-errors.ts';
import type { GuardedFetch } from '../http/guarded-fetch.ts';
import type { SignInRequest } from '../sign-in-request.ts';
import { exchangeCode, type TokenAnswer } from '../token/token-request.ts';
import { authorizationRequest } from './authorization-request.ts';
import { knownClient, newCredential, saveCredential } from './new-record.ts';
import { type PreparedGrant, prepareGrant, tokenRequestOf } from './prepare-grant.ts';
import { pushed } from './pushed-authorization-request.ts';
import { isClientForgotten } from './registration-check.ts';

/** The ports that a sign-in uses, whatever its grant. */
export interface SignInPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  readonly listen: Listen;
}

/** What one grant needs: the ports, HTTP to permitted addresses, and the receiver of the authorization response. */
export interface SignInDeps extends SignInPorts {
  readonly fetch: GuardedFetch;
  readonly receiver: RedirectReceiver;
}

/** One run of a grant: how it reaches a person, and when it ends. */
export interface SignInAttempt {
  /** Shows the address to the person; called once. */
  readonly show: (address: string, code?: ShownCode) => Promise<void>;
  /** Aborts the whole run. */
  readonly signal: AbortSignal;
  /** Ends the wait for the person, also at the deadline; steps after their consent are completed. */
  readonly waiting: AbortSignal;
}

/** What stays the same when the person is sent to the authorization server a second time. */
interface Plan extends PreparedGrant {
  readonly redirectUri: string;
  readonly extra: readonly (readonly [string, string])[];
  /** For the token request, if it needs one. */
  readonly codeScope: string | undefined;
}

interface Round {
  readonly client: TokenClient;
  readonly codeVerifier: string;
}

/** The authorization code grant from the server's address to the credential in the store (src/README.md, "Sign-in"). */
export async function signIn(
  request: SignInRequest,
  deps: SignInDeps,
  attempt: SignInAttempt,
): Promise<CredentialRecord> {
  const { receiver, fetch } = deps;
  const signal = attempt.waiting;
  const prepared = await prepareGrant(request, deps, { flow: 'browser', signal });
  const { scope } = prepared;
  const known = await knownClient(request, deps, prepared.issuer);
  const named = namedClient(request, prepared.metadata, deps);
  const redirectUri = await openReceiver(request, deps, known, signal);
  const extra = [...request.authorizeParams, ...audience(request, prepared.resource)];
  const codeScope = request.scopeOnTokenRequests ? scope : undefined;
  const plan: Plan = { ...prepared, redirectUri, extra, codeScope };
  const register = () => registerClient({ fetch, metadata: plan.metadata, redirectUri, scope, signal });

  const isKept =
    named === undefined &&
    known?.redirectUri === redirectUri &&
    !(await isClientForgotten({ ...deps, ...plan, client: known, signal }));
  let client: TokenClient = named ?? (isKept ? known : await register());
  let arrival: Arrival | undefined;
  for (let mayRegisterAgain = named === undefined; ; ) {
    const { address, round } = await startRound(plan, client, deps, signal);
    if (arrival === undefined) await attempt.show(address);
    else arrival.respond(redirectAnswer(address));
    arrival = await receiver.arrival(signal);
    try {
      const answer = await exchangeArrivedCode(arrival, plan, round, deps, attempt.signal);
      const record = await saveCredential(
        request.key,
        newCredential(request, plan, client, answer, deps),
        deps.store,
      );
      arrival.respond(successPage(request.server));
      return record;
    } catch (error) {
      // test/README.md, fault 25: a server that has forgotten the registration says so only now. Retried once, in the same tab.
      if (mayRegisterAgain && isClientUnknown(error)) {
        mayRegisterAgain = false;
        deps.logger.debug('client unknown to its issuer, registering again', { issuer: plan.issuer });
        client = await register().catch((cause) => {
          arrival?.respond(failurePage(request.server, cause));
          throw cause;
        });
        continue;
      }
      arrival.respond(failurePage(request.server, error));
      throw error;
    }
  }
}

/** src/auth/README.md, "Auth0": its name for the resource. */
function audience({ audienceFromResource }: SignInRequest, resource: string | undefined) {
  return audienceFromResource && resource !== undefined ? [['audience', resource] as const] : [];
}

/** The previous sign-in keeps the port for a moment, until it sees that the port is needed. */
const PORT_RETRY_MS = 1_000;
const PORT_STEP_MS = 50;

/** The port of the registration, so that it can be reused; a port set by the user; else any. */
async function openReceiver(
  { callback }: SignInRequest,
  { receiver, listen, clock }: SignInDeps,
  known: Client | undefined,
  signal: AbortSignal,
): Promise<string> {
  const port =
    callback.port ??
    (known?.redirectUri === undefined ? undefined : registeredPort(known.redirectUri, callback));
  for (const end = clock.monotonic() + PORT_RETRY_MS; ; ) {
    try {
      return await receiver.open(listen, callback, port);
    } catch (error) {
      if (port === undefined || !(error instanceof CallbackPortError)) throw error;
      if (clock.monotonic() >= end) {
        if (callback.port !== undefined) throw error;
        return receiver.open(listen, callback, undefined);
      }
      await clock.sleep(PORT_STEP_MS, signal);
    }
  }
}

async function startRound(
  { issuer, metadata, scope, resource, redirectUri, extra, binding }: Plan,
  client: TokenClient,
  deps: SignInDeps,
  signal: AbortSignal,
) {
  const { receiver, random, fetch } = deps;
  const state = randomToken(random, 256);
  const { address: whole, codeVerifier } = await authorizationRequest({
    metadata,
    client,
    redirectUri,
    scope,
    state,
    resource,
    extra,
    random,
    dpopJkt: keyThumbprint(binding),
  });
  const address = await pushed({ fetch, metadata, client, address: whole, signal });
  receiver.expect({ state, issuer, issParameterSupported: metadata.issParameterSupported });
  const round: Round = { client, codeVerifier };
  return { address, round };
}

async function exchangeArrivedCode(
  { judgement }: Arrival,
  plan: Plan,
  { client, codeVerifier }: Round,
  { fetch }: SignInDeps,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  const { issuer, redirectUri } = plan;
  switch (judgement.kind) {
    case 'mix-up': {
      const from = judgement.received === undefined ? 'nobody by name' : quote(judgement.received);
      throw new CallbackIssuerError(`the answer to the sign-in at ${quote(issuer)} came from ${from}`);
    }
    case 'denied':
      throw new AuthorizationDeniedError('access was declined', judgement.description ?? judgement.error);
    case 'error': {
      const answered = [judgement.error, judgement.description]
        .filter((part) => part !== undefined)
        .join(': ');
      throw new AuthorizationResponseError(`${quote(issuer)} answered ${quote(answered)}`, judgement.error);
    }
    case 'unusable':
      throw new SignInFailedError(`the answer of ${quote(issuer)} cannot be used: ${judgement.reason}`);
    case 'code': {
      return exchangeCode({
        ...tokenRequestOf(plan, client, fetch, signal),
        codeVerifier,
        redirectUri,
        code: judgement.code,
        scope: plan.codeScope,
      });
    }
  }
}

function isClientUnknown(error: unknown): boolean {
  if (error instanceof TokenEndpointError) return error.oauthError === 'invalid_client';
  if (!(error instanceof AuthorizationResponseError)) return false;
  return error.oauthError === 'invalid_client' || error.oauthError === 'unauthorized_client';
}

/** RFC 8628 §3.3. */
export interface ShownCode {
  /** To be entered at the address, or compared with the code shown there. */
  readonly userCode: string;
  /** Where it is entered, if the address contains it already. */
  readonly codeAddress?: string | undefined;
}
