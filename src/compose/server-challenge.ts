import type { GuardedFetch } from '../auth/http/guarded-fetch.ts';
import type { Config } from '../config/config.ts';
import { DrawbridgeError, describeError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';
import { version } from '../platform/version.ts';
import type { BearerChallenge } from '../protocol/www-authenticate.ts';
import type { McpOrigin } from '../remote/http/mcp-origin.ts';
import type { CredentialRecord } from '../store/record/record.ts';
import { httpFactory, type Platform, serverHttp } from './platform.ts';

/** The challenge of the server; undefined if it sends none. Discovery then uses the well-known addresses and reports errors. */
export async function challengeOf(
  config: Config,
  platform: Platform,
  logger: Logger,
  signal: AbortSignal,
): Promise<BearerChallenge | undefined> {
  try {
    return await probe(config, platform, signal);
  } catch (error) {
    logger.debug('the server gave no challenge', { error: describeError(error) });
    return undefined;
  }
}

/** Sends the user's headers, which go only to the server (.github/SECURITY.md, attack 14). */
async function probe(
  config: Config,
  platform: Platform,
  signal: AbortSignal,
): Promise<BearerChallenge | undefined> {
  const { probeChallenge } = await import('../remote/http/challenge-probe.ts');
  return withOrigin(config, platform, (origin) => probeChallenge(origin, config.server, signal));
}

/** Whether the server refuses the token of this login. False if it does not say, or refuses only the proof of its key. Rejects with the signal's reason. */
export async function isRefused(
  record: CredentialRecord,
  config: Config,
  platform: Platform,
  logger: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const [{ AccessTokenFactory, mentionsDpop }, { probeToken }] = await Promise.all([
    import('../auth/dpop/access-token.ts'),
    import('../remote/http/challenge-probe.ts'),
  ]);
  const { clock, random } = platform;
  const token = new AccessTokenFactory({ clock, random, memory: new Map() }).of(record);
  if (token === undefined) return true;
  try {
    const challenge = await withOrigin(config, platform, (origin) =>
      probeToken(origin, config.server, token, signal),
    );
    if (challenge === undefined || !mentionsDpop(challenge)) return challenge !== undefined;
    return (await import('../auth/dpop/refused-proof.ts')).refusedProof(challenge) === undefined;
  } catch (error) {
    signal.throwIfAborted();
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    if (!isTimeout && !(error instanceof DrawbridgeError)) throw error;
    logger.debug('the server did not say whether it accepts the token', { error: describeError(error) });
    return false;
  }
}

/** Connections to the MCP server, for one command. The user's headers go along. */
export async function withOrigin<T>(
  config: Config,
  platform: Platform,
  run: (origin: McpOrigin) => Promise<T>,
): Promise<T> {
  const { McpOrigin } = await import('../remote/http/mcp-origin.ts');
  const { server: url, headers, maxMessageBytes } = config;
  const http = await serverHttp(platform, config);
  try {
    const userAgent = `mcp-drawbridge/${version}`;
    return await run(new McpOrigin({ http, url, headers, maxMessageBytes, userAgent }));
  } finally {
    await http.close();
  }
}

/** Connections to an authorization server, for one command. */
export async function guarded<T>(
  config: Pick<Config, 'headers' | 'allowHttp' | 'caFile' | 'clientCertificate'>,
  server: URL,
  platform: Platform,
  run: (fetch: GuardedFetch) => Promise<T>,
): Promise<T> {
  const { withGuardedFetch } = await import('../auth/http/guarded-fetch.ts');
  const { headers, allowHttp } = config;
  const createHttp = httpFactory(platform, server, config);
  return withGuardedFetch({ server, headers, allowHttp, clock: platform.clock, createHttp }, run);
}

/** The time limit for revoking tokens. */
const REVOKE_LIMIT_MS = 10_000;

/** Creates a function that revokes the tokens of a login at its authorization server. */
export function revoker(
  config: Pick<Config, 'oauth' | 'headers' | 'allowHttp' | 'caFile' | 'clientCertificate'>,
  platform: Platform,
  signal: AbortSignal,
) {
  return async (record: CredentialRecord) => {
    const { revokeTokens } = await import('../auth/token/revocation.ts');
    const { withSecrets } = await import('../auth/client/client.ts');
    const client =
      record.client &&
      withSecrets(record.client, config.oauth.client, {
        clock: platform.clock,
        random: platform.random,
      });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(REVOKE_LIMIT_MS)]);
    return guarded(config, new URL(record.server), platform, (fetch) =>
      revokeTokens(record, client, fetch, limit),
    );
  };
}
