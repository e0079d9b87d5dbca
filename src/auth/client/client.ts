import type { Clock } from '../../platform/clock.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { ConfiguredClient } from '../../protocol/oauth-settings.ts';
import type { Client } from '../../store/record/record.ts';
import { readSigningKey, signJwt } from '../jwt/signing.ts';

/** A client as presented to the token endpoint. */
export interface TokenClient extends Client {
  /** RFC 7523 §3: the client's identity, signed for this audience at this time (milliseconds since the epoch). */
  readonly assertion?: (audience: string, at: number | undefined) => string;
}

export interface SigningDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

/** Longer than a request takes plus the usual clock difference; servers refuse assertions with a long life. */
const ASSERTION_LIFETIME_S = 120;

/** `keyOption`: the source of the key, for messages. Throws ConfigError if the key is unusable. */
export function configuredClient(
  configured: ConfiguredClient,
  { clock, random }: SigningDeps,
  keyOption?: string,
): TokenClient {
  const { clientId, clientSecret, signingKey, signingAlg } = configured;
  const key = signingKey === undefined ? undefined : readSigningKey(signingKey, signingAlg, keyOption);
  const assertion: TokenClient['assertion'] =
    key &&
    ((audience, at = clock.now()) => {
      const iat = Math.floor(at / 1000);
      const header = { typ: 'JWT', kid: key.kid };
      const lifetime = { iat, exp: iat + ASSERTION_LIFETIME_S, jti: randomToken(random, 128) };
      return signJwt(header, { iss: clientId, sub: clientId, aud: audience, ...lifetime }, key);
    });
  return {
    clientId,
    source: 'static',
    ...withoutUndefined({ clientSecret, assertion }),
  };
}

/** The configured client with its secrets, for a record that was created with it. */
export function withSecrets(
  recorded: Client,
  configured: ConfiguredClient | undefined,
  deps: SigningDeps,
): TokenClient {
  if (configured === undefined || recorded.clientId !== configured.clientId) return recorded;
  return { ...recorded, ...configuredClient(configured, deps) };
}

/** The part of a client that is stored: for one configured by the user no secret, which stays where the user keeps it. */
export function recordedClient(client: TokenClient): Client {
  const { assertion, ...rest } = client;
  if (client.source !== 'static') return rest;
  const { clientSecret, ...named } = rest;
  return named;
}
