import { type Authorization, staticAuthorization } from '../auth/authorization.ts';
import {
  type AuthorizationOptions,
  createInteractiveAuthorization,
  identityOf,
} from '../auth/credential/interactive-authorization.ts';
import type { DpopNonceCache } from '../auth/dpop/proof.ts';
import type { SignInRequest } from '../auth/sign-in-request.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../platform/log/logger.ts';
import type { Shared } from '../store/open-shared.ts';
import type { Store } from '../store/port/store.ts';
import { httpFactory, type Platform } from './platform.ts';
import { signInHint } from './settings/sign-in-hint.ts';
import { signInSettings } from './settings/sign-in-settings.ts';
import { openConfigured, storeSettings } from './store/open-store.ts';

/** The authorization for this server: the credential shared by all instances on the machine, or the user's own header. */
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
  const options = await openCredential(config, key, platform, logger);
  askAhead(options, config);
  return createInteractiveAuthorization(options);
}

/**
 * Asks an engine for the login while the bridge still composes itself and waits for its host, whose first message then takes up the answer, or asks again. A
 * program that prints the keys may ask a person: it runs when the host has said something.
 */
function askAhead(options: AuthorizationOptions, { store }: Config): void {
  if (store.kind !== 'shared' || store.keys.kind === 'command') return;
  options.store.read(options.key, identityOf(options)).catch(() => undefined);
}

/** Opens the credential on the real platform, for the bridge and the commands. `opened`: the store, if the caller has it and closes it. */
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
  const store = await withSeed(shared.store, key, config, clock.now);
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
    nonInteractiveReason: config.nonInteractiveReason && {
      // Looks for the program on the PATH.
      get hint() {
        return signInHint(config);
      },
    },
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
    launch: async (asked) => {
      const request = await withStore(asked, config, platform, logger);
      // A store that is not writable cannot be shared: the sign-in is for this bridge only.
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

/** With the credential of MCP_DRAWBRIDGE_CREDENTIALS in it before the first read. Rejects with ConfigError if it is unusable. */
async function withSeed(store: Store, key: string, config: Config, now: () => number): Promise<Store> {
  const { credentials } = config;
  if (credentials === undefined) return store;
  const { credentialSeed } = await import('./store/seed-credential.ts');
  const seed = credentialSeed(credentials, config);
  const { seededStore } = await import('./store/seeded-store.ts');
  return seededStore(store, () => seed.plant(store, key, now()));
}

/** The request of a sign-in process, which opens the same store. Rejects with ConfigError if a key program prints no key. */
async function withStore(
  request: SignInRequest,
  config: Config,
  platform: Platform,
  logger: Logger,
): Promise<SignInRequest> {
  const { store } = storeSettings(config, platform, logger);
  if (store.kind !== 'shared') return request;
  const { url, prefix } = store;
  const keys = (await store.secrets()).map((each) => Buffer.from(each).toString('base64'));
  return { ...request, store: { url, prefix, keys } };
}
