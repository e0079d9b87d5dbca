import type { SignedIn } from '../auth/credential/valid-token.ts';
import type { CredentialParts } from '../commands/tokens/token.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';
import { keyOf } from '../store/record/credential-key.ts';
import { openCredential } from './credential.ts';
import type { Platform } from './platform.ts';
import { challengeOf } from './server-challenge.ts';
import { signInHint } from './settings/sign-in-hint.ts';

/** What `token` and `tokens export` need, for any grant. Rejects with ConfigError if the settings contain an Authorization header. */
export async function credentialParts(
  config: Config,
  platform: Platform,
  logger: Logger,
): Promise<CredentialParts> {
  if (config.staticAuthorization) {
    throw new ConfigError(
      'the settings contain an Authorization header for this server, so it has no credential here',
      {
        hint: 'To sign in, remove --header Authorization from the settings.',
      },
    );
  }
  const common = {
    server: config.server.href,
    signInHint: signInHint(config),
    logger,
    clock: platform.clock,
    random: platform.random,
  };
  if (config.oauth.machineGrant !== undefined) {
    const obtain = machineTokens(config, platform, logger, { forceNew: false });
    return {
      ...common,
      validToken: async (signal) => ({ kind: 'token', record: await obtain(signal) }),
    };
  }
  const [credential, { validToken }] = await Promise.all([
    openCredential(config, keyOf(config), platform, logger),
    import('../auth/credential/valid-token.ts'),
  ]);
  return { ...common, validToken: (signal) => validToken(credential, signal) };
}

/** Creates a function that obtains a token with a grant that needs no person. `forceNew`: even if a valid token is stored. */
export function machineTokens(
  config: Config,
  platform: Platform,
  logger: Logger,
  { forceNew }: { readonly forceNew: boolean },
) {
  return async (signal: AbortSignal): Promise<SignedIn> => {
    const [{ machineOptions }, { machineToken }] = await Promise.all([
      import('./machine.ts'),
      import('../auth/machine/machine-token.ts'),
    ]);
    const options = await machineOptions(config, keyOf(config), platform, logger);
    const challenge = () => challengeOf(config, platform, logger, signal);
    return machineToken(options, { forceNew, challenge }, signal);
  };
}
