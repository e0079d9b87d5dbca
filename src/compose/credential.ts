import { type Authorization, staticAuthorization } from '../auth/authorization.ts';
import {
  type AuthorizationOptions,
  createInteractiveAuthorization,
} from '../auth/credential/interactive-authorization.ts';
import type { DpopNonceCache } from '../auth/dpop/proof.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../platform/log/logger.ts';
import type { Shared } from '../store/open-shared.ts';
import { openConfigured } from './open-store.ts';
import { httpFactory, type Platform } from './platform.ts';
import { signInHint } from './settings/sign-in-hint.ts';
import { signInSettings } from './settings/sign-in-settings.ts';

/** The authorization for this server: the credential shared by all instances on the machine, or the header that the user gave. */
export async function composeAuthorization(
  config: Config,
  key: string,
  platform: Platform,
  logger: Logger,
): Promise<Authorization> {
  if (config.staticAuthorization) return staticAuthorization();
  if (config.oauth.machineGrant !== undefined) {
    const { composeMachineAuthorization } = await import('./machine.ts');
    return composeMachineAuthorization(config, key, platform, logger);
  }
  return createInteractiveAuthorization(await openCredential(config, key, platform, logger));
}

/** Opens the credential on the real platform, for the bridge and the commands. `opened`: the store, where the caller has it and closes it. */
export async function openCredential(
  config: Config,
  key: string,
  platform: Platform,
  logger: Logger,
  opened?: Shared,
): Promise<AuthorizationOptions> {
  const { server, allowHttp, oauth } = config;
  const { clock, random } = platform;
  const shared = opened ?? (await openConfigured(config, platform, logger));
  const { leases } = shared;
  let { store } = shared;
  if (config.credentials !== undefined) {
    const { seedOrLater } = await import('./seed-credential.ts');
    store = await seedOrLater(store, key, config.credentials, { ...config, now: clock.now() });
  }
  const proofMemory: DpopNonceCache = new Map();
  const createGuardedHttp = httpFactory(platform, server, config);
  return {
    store,
    leases,
    closeStore: opened === undefined ? shared.close : undefined,
    key,
    settings: signInSettings(config),
    clock,
    random,
    logger,
    proofMemory,
    nonInteractiveReason: config.nonInteractiveReason && { hint: signInHint(config) },
    loadRefreshRequest: async () => {
      const { createRefreshRequest } = await import('../auth/refresh/refresh-request.ts');
      return createRefreshRequest({
        server,
        allowHttp,
        clock,
        random,
        createHttp: createGuardedHttp,
        settings: oauth,
        proofMemory,
      });
    },
    hasIssuerChanged: async (...asked) => {
      const { hasIssuerChanged } = await import('../auth/credential/issuer-change.ts');
      const { headers } = config;
      return hasIssuerChanged(
        {
          server,
          headers,
          allowHttp,
          settings: oauth,
          clock,
          logger,
          createHttp: createGuardedHttp,
        },
        ...asked,
      );
    },
    launch: async (request) => {
      // A store that cannot be written cannot be shared: the sign-in is for this bridge only.
      if (store.writable && !platform.isElectron) {
        const { startSignIn } = await import('../auth/sign-in/launch.ts');
        const start = await startSignIn(request, platform);
        if (start.kind === 'started') return;
        const { reason } = start;
        logger.warn('the sign-in process did not start, so the sign-in runs in this process', { reason });
      }
      const { runSignInHere } = await import('./sign-in.ts');
      await runSignInHere(request, platform, logger, { store, leases });
    },
  };
}
