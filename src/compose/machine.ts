import type { Authorization } from '../auth/authorization.ts';
import { createMachineAuthorization } from '../auth/machine/machine-authorization.ts';
import type { MachineAuthorizationOptions } from '../auth/machine/machine-token.ts';
import type { Config } from '../config/config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { InternalError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';
import type { Shared } from '../store/open-shared.ts';
import { canonicalServer } from '../store/record/key.ts';
import { httpFactory, type Platform } from './platform.ts';
import { openConfigured } from './store/open-store.ts';

/** The authorization with a grant that needs no person, on the real platform. */
export async function composeMachineAuthorization(
  ...parts: Parameters<typeof machineOptions>
): Promise<Authorization> {
  return createMachineAuthorization(await machineOptions(...parts));
}

/** The options of that authorization, for the commands. `opened`: the store, if the caller has it and closes it. */
export async function machineOptions(
  config: Config,
  key: string,
  platform: Platform,
  logger: Logger,
  opened?: Shared,
): Promise<MachineAuthorizationOptions> {
  const { oauth } = config;
  const { machineGrant } = oauth;
  if (machineGrant === undefined) throw new InternalError('a machine grant without its settings');
  const shared = opened ?? (await openConfigured(config, platform, logger));
  return {
    ...oauth,
    machineGrant,
    server: canonicalServer(config.server),
    allowHttp: config.allowHttp,
    key,
    logger,
    proofMemory: new Map(),
    headers: config.headers,
    store: shared.store,
    closeStore: opened === undefined ? shared.close : undefined,
    readFile: readSettingsFile,
    createHttp: httpFactory(platform, config.server, config),
    clock: platform.clock,
    random: platform.random,
  };
}
