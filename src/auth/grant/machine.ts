import { describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { MachineGrant, OAuthSettings } from '../../protocol/oauth-settings.ts';
import { quote } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { DpopKey, NewRecord } from '../../store/record/record.ts';
import { configuredClient } from '../client/client.ts';
import { noClient } from '../client/client-selection.ts';
import type { DpopNonceCache } from '../dpop/proof.ts';
import { GrantRefusedError } from '../errors/errors.ts';
import { TokenEndpointError } from '../errors/oauth-errors.ts';
import type { GuardedFetch } from '../http/guarded-fetch.ts';
import { requestTokens, type TokenAnswer } from '../token/token-request.ts';
import { exchangeIdToken, JWT_BEARER } from './identity-assertion.ts';
import { newCredential } from './new-record.ts';
import { type PreparedGrant, prepareGrant, tokenRequestOf } from './prepare-grant.ts';

/** A machine grant for one server: its settings and the ports that it uses. */
export interface MachineGrantOptions extends OAuthSettings {
  /** In canonical form, as in the record. */
  readonly server: string;
  readonly machineGrant: MachineGrant;
  readonly readFile: (path: string) => string;
  readonly proofMemory: DpopNonceCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The same with HTTP to permitted addresses. */
export interface MachineGrantRequest extends MachineGrantOptions {
  readonly fetch: GuardedFetch;
}

/** Obtains a credential by a machine grant; `known`: the key of the last one. Rejects with GrantRefusedError if another attempt would not help. */
export async function obtainCredential(
  options: MachineGrantRequest,
  challenge: BearerChallenge,
  known: DpopKey | undefined,
  signal: AbortSignal,
): Promise<NewRecord> {
  const { fetch, clock, random, machineGrant } = options;
  const plan = await prepareGrant({ ...options, challenge }, options, {
    flow: 'machine',
    signal,
    known,
    nonces: options.proofMemory,
  });
  // RFC 7523 §3.1: an assertion may authenticate the client as well.
  const client = options.client ?? (machineGrant.kind === 'jwt-bearer' ? { clientId: '' } : undefined);
  if (client === undefined) throw noClient(plan.issuer, `needs a client for ${machineGrant.kind}`, undefined);
  const tokenClient = configuredClient(client, { clock, random });
  const request = tokenRequestOf(plan, tokenClient, fetch, signal);
  try {
    const grant = await parametersOf(options, plan, signal);
    const answer = await requestTokens(request, { ...grant, ...withoutUndefined({ scope: plan.scope }) });
    // RFC 6749 §4.4.3: none is needed; storing one would put another secret on disk.
    const { refreshToken, ...tokens }: TokenAnswer = answer;
    // Without a sign-in there is no ID token to send.
    const login = { ...options, useIdToken: false };
    const record = newCredential(login, plan, tokenClient, tokens, { clock, random });
    return { ...record, grant: machineGrant.kind };
  } catch (error) {
    throw finalOrPassing(error, machineGrant);
  }
}

async function parametersOf(
  options: MachineGrantRequest,
  { issuer, resource, scope }: PreparedGrant,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const { machineGrant: grant, fetch } = options;
  switch (grant.kind) {
    case 'client_credentials':
      return { grant_type: 'client_credentials' };
    case 'jwt-bearer':
      return { grant_type: JWT_BEARER, assertion: readJwt(grant.assertionFile, options.readFile) };
    case 'enterprise': {
      const idToken = readJwt(grant.idTokenFile, options.readFile);
      const assertion = await exchangeIdToken({
        ...grant,
        idToken,
        issuer,
        resource,
        scope,
        fetch,
        signal,
        clock: options.clock,
        random: options.random,
      });
      return { grant_type: JWT_BEARER, assertion };
    }
  }
}

/** Base64url and dots: it cannot contain a second parameter. */
const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

function readJwt(path: string, readFile: (path: string) => string): string {
  let text: string;
  try {
    text = readFile(path).trim();
  } catch (error) {
    throw new GrantRefusedError(`${quote(path)} cannot be read: ${describeError(error)}`);
  }
  if (JWT.test(text)) return text;
  throw new GrantRefusedError(`${quote(path)} does not hold one JWT`);
}

/** A server's answer to a machine will be the same next time; only missing answers and server failures are temporary. */
function finalOrPassing(error: unknown, { kind }: MachineGrant): unknown {
  if (!(error instanceof TokenEndpointError) || error.sent !== 'answered') return error;
  const { status = 0, hint } = error;
  if (status >= 500 || status === 408 || status === 429) return error;
  return new GrantRefusedError(`the grant ${kind} was refused`, {
    cause: error,
    hint:
      hint ??
      'There is no fallback. Check the client, its secret or key, the scope and the files named by the options.',
  });
}
