import { type Authorization, staticAuthorization } from '../auth/authorization.ts';
import {
  type AuthorizationOptions,
  createInteractiveAuthorization,
} from '../auth/credential/interactive-authorization.ts';
import type { DpopNonceCache } from '../auth/dpop/proof.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/logger.ts';
import { launchIndependent } from '../platform/process/independent-process.ts';
import { systemRandom } from '../platform/random.ts';
import { openLeases } from '../store/lease/lease.ts';
import { openStore } from '../store/open-store.ts';
import { httpFactory, type ProcessParts } from './process-parts.ts';
import { signInHint } from './sign-in-hint.ts';
import { signInSettings } from './sign-in-settings.ts';

/** The authorization for this server: the credential shared by all instances on the machine, or the header that the user gave. */
export async function composeAuthorization(
  config: Config,
  key: string,
  process: ProcessParts,
  logger: Logger,
): Promise<Authorization> {
  if (config.staticAuthorization) return staticAuthorization();
  if (config.oauth.machineGrant !== undefined) {
    const { composeMachineAuthorization } = await import('./machine.ts');
    return composeMachineAuthorization(config, key, process, logger);
  }
  return createInteractiveAuthorization(await openCredential(config, key, process, logger));
}

/** Opens the credential on the real platform, for the bridge and the commands. */
export async function openCredential(
  config: Config,
  key: string,
  process: ProcessParts,
  logger: Logger,
): Promise<AuthorizationOptions> {
  const { server, allowHttp, home, oauth } = config;
  const store = await openStore({ home, logger, memory: config.store === 'memory' });
  if (config.credentials !== undefined) {
    const { seedStore } = await import('./seed-credential.ts');
    await seedStore(store, key, config.credentials, config, logger);
  }
  const leases = store.writable
    ? openLeases(store.folder)
    : (await import('../store/lease/memory-leases.ts')).memoryLeases();
  const proofMemory: DpopNonceCache = new Map();
  const createGuardedHttp = httpFactory(process.env, server, config);
  return {
    store,
    leases,
    key,
    settings: signInSettings(config),
    clock: systemClock,
    random: systemRandom,
    logger,
    proofMemory,
    ...(config.nonInteractiveReason === undefined
      ? {}
      : { nonInteractiveReason: { hint: signInHint(config) } }),
    loadRefreshRequest: async () => {
      const { createRefreshRequest } = await import('../auth/refresh/refresh-request.ts');
      return createRefreshRequest({
        server,
        allowHttp,
        clock: systemClock,
        random: systemRandom,
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
          clock: systemClock,
          logger,
          createHttp: createGuardedHttp,
        },
        ...asked,
      );
    },
    launch: async (request) => {
      // A store that cannot be written cannot be shared: the sign-in is for this bridge only.
      if (store.writable && !process.isElectron) {
        const { startSignIn } = await import('../auth/sign-in/launch.ts');
        const { execPath, execArgv, entry, env } = process;
        const start = await startSignIn(request, {
          launch: launchIndependent,
          execPath,
          execArgv,
          entry,
          env,
        });
        if (start.kind === 'started') return;
        const { reason } = start;
        logger.warn('the sign-in process did not start, so the sign-in runs in this process', { reason });
      }
      const { runSignInHere } = await import('./sign-in.ts');
      await runSignInHere(request, process, logger, { store, leases });
    },
  };
}
