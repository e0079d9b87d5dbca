import { hostname } from 'node:os';
import type { RunSignInDeps } from '../auth/sign-in/run.ts';
import type { SignInRequest } from '../auth/sign-in-request.ts';
import type { SignInProcessOptions } from '../commands/sign-in-process.ts';
import type { StoreConfig } from '../config/config.ts';
import { describeError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';
import { createLogSink, type LogSink } from '../platform/log/sink.ts';
import { storePaths } from '../store/files/paths.ts';
import type { Leases } from '../store/lease/lease.ts';
import type { Store } from '../store/port/store.ts';
import { httpFactory, type Platform } from './platform.ts';
import { settingSecrets } from './settings/setting-secrets.ts';
import { openConfigured } from './store/open-store.ts';

/** What the separate sign-in process needs, on the real platform. */
export async function composeSignIn(platform: Platform, stop: AbortSignal): Promise<SignInProcessOptions> {
  // The process that started it may have been killed: then nothing reads this.
  platform.stdout.on('error', () => {});
  const onAdopted = () => void platform.stdout.write('ready\n');
  let logger: LogSink | undefined;
  return {
    stdin: platform.stdin,
    signal: stop,
    logger: createLogSink({ format: 'json', debug: false, silent: true, clock: platform.clock }),
    compose: async (request) => {
      const { headers = [], client } = request;
      const store = storeOf(request);
      logger = createLogSink({
        secrets: settingSecrets({ headers, client, store, server: new URL(request.server) }, platform.env),
        format: 'json',
        silent: true,
        debug: request.debug,
        clock: platform.clock,
        folder: request.debug ? storePaths(request.home).logs : undefined,
      });
      const { home } = request;
      const shared = await openConfigured({ home, store }, platform, logger);
      // This process has a smaller environment than the bridge, which signs in by itself if this one cannot store the login.
      await shared.store.read(request.key);
      const deps = await runSignInDeps(request, platform, logger, shared);
      return { deps: { ...deps, onAdopted }, close: () => shared.close() };
    },
  };
}

/** The store that the request names, with its keys. */
function storeOf({ store }: SignInRequest): StoreConfig {
  if (store === undefined) return { kind: 'file' };
  const { url, prefix } = store;
  const secrets = store.keys.map((key) => Buffer.from(key, 'base64'));
  return { kind: 'shared', url, prefix, keys: { kind: 'secrets', secrets } };
}

/** The parts of the platform that a sign-in needs. */
export async function runSignInDeps(
  request: SignInRequest,
  platform: Platform,
  logger: Logger,
  shared: { readonly store: Store; readonly leases: Leases },
): Promise<RunSignInDeps> {
  const [openBrowser, listen] = await Promise.all([platform.loadBrowser(), platform.loadListen()]);
  return {
    ...shared,
    clock: platform.clock,
    random: platform.random,
    logger,
    pid: platform.pid,
    host: hostname(),
    listen,
    openBrowser,
    createHttp: httpFactory(platform, new URL(request.server), request),
  };
}

/**
 * Runs a sign-in on this platform, which ends with it. Resolves when it has its lease; from then on the lease's status shows the progress. Rejects if the lease
 * is unavailable.
 */
export async function runSignInHere(
  request: SignInRequest,
  platform: Platform,
  logger: Logger,
  shared: { readonly store: Store; readonly leases: Leases },
): Promise<void> {
  const { runSignIn } = await import('../auth/sign-in/run.ts');
  const deps = await runSignInDeps(request, platform, logger, shared);
  await new Promise<void>((resolve, reject) => {
    const stop = platform.stop ?? new AbortController().signal;
    const ended = runSignIn(request, { ...deps, onAdopted: resolve }, stop);
    // After `onAdopted` the promise has settled, and a failure can only be logged.
    ended
      .then(() => resolve())
      .catch((error: unknown) => {
        logger.warn('sign-in failed', { error: describeError(error) });
        reject(error);
      });
  });
}
