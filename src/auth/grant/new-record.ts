import type { Clock } from '../../platform/clock.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import { LockTimeoutError, StoreAwayError } from '../../store/files/store-errors.ts';
import type { Store } from '../../store/port/store.ts';
import { canonicalServer } from '../../store/record/key.ts';
import type { Client, CredentialRecord, NewRecord } from '../../store/record/record.ts';
import { recordedClient, type TokenClient } from '../client/client.ts';
import { recordedBinding } from '../dpop/binding.ts';
import { SignInFailedError } from '../errors/sign-in-errors.ts';
import type { SignInRequest } from '../sign-in-request.ts';
import { idTokenAsBearer } from '../token/id-token-as-bearer.ts';
import type { TokenAnswer } from '../token/token-request.ts';
import type { PreparedGrant } from './prepare-grant.ts';

/** The parts of a sign-in request that go into its record. */
type NewLogin = Pick<SignInRequest, 'server' | 'profile' | 'stepUps' | 'useIdToken'>;

/** The record of a new sign-in. The family is new: refreshes of an older login find themselves superseded. */
export function newCredential(
  { server, profile, stepUps, useIdToken }: NewLogin,
  { issuer, resource, metadata, scope, binding }: PreparedGrant,
  client: TokenClient,
  answer: TokenAnswer,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): NewRecord {
  const { tokenEndpoint, revocationEndpoint, tokenEndpointAuthMethods } = metadata;
  const obtainedAt = clock.now();
  const shown = useIdToken ? idTokenAsBearer(answer, obtainedAt) : answer;
  const { expiresInSeconds, issuedTokenType, ...tokens } = shown;
  return withoutUndefined({
    family: randomToken(random, 128),
    server: canonicalServer(new URL(server)),
    profile,
    issuer,
    endpoints: withoutUndefined({ token: tokenEndpoint, revocation: revocationEndpoint }),
    client: client.clientId === '' ? undefined : recordedClient(client),
    tokens: withoutUndefined({
      ...tokens,
      obtainedAt,
      expiresAt: expiresInSeconds === undefined ? undefined : obtainedAt + expiresInSeconds * 1000,
    }),
    ...recordedBinding(binding),
    resource,
    tokenEndpointAuthMethods,
    requestedScope: scope,
    stepUps,
  });
}

/** The registration of an earlier sign-in, which only its own issuer may see (.github/SECURITY.md, attack 9). */
export async function knownClient(
  request: SignInRequest,
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  issuer: string,
): Promise<Client | undefined> {
  const stored = await store.read(request.key, { server: request.server, resource: request.resource });
  if (stored.kind !== 'record' || stored.record.issuer !== issuer) return undefined;
  const { client } = stored.record;
  const expiresAtSeconds = client?.clientSecretExpiresAt ?? 0;
  return expiresAtSeconds !== 0 && expiresAtSeconds * 1000 <= clock.now() ? undefined : client;
}

/** Each attempt waits for the lock as long as the store allows; a person has just agreed, which is worth a second attempt. */
const SAVE_ATTEMPTS = 2;

/** A login beats a refresh in flight: it replaces any record (src/README.md, "A refresh", step 6). */
export async function saveCredential(
  key: string,
  record: NewRecord,
  store: Store,
): Promise<CredentialRecord> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await store.write(key, record, 'any');
      if (result.kind === 'written') return result.record;
      if (attempt >= SAVE_ATTEMPTS)
        throw new SignInFailedError('the credential could not be stored: it changes too fast');
    } catch (error) {
      const isPassing = error instanceof LockTimeoutError || error instanceof StoreAwayError;
      if (attempt >= SAVE_ATTEMPTS || !isPassing) throw error;
    }
  }
}
