import type { Authorization } from '../auth/authorization.ts';
import { MachineAuthorization } from '../auth/credential/machine-authorization.ts';
import type { MachineAuthorizationOptions } from '../auth/credential/machine-token.ts';
import type { Config } from '../config/config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { InternalError } from '../errors.ts';
import { systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/logger.ts';
import { systemRandom } from '../platform/random.ts';
import { openStore } from '../store/open-store.ts';
import { httpFactory, type ProcessParts } from './process-parts.ts';
import { signInSettings } from './sign-in-settings.ts';

/** A credential that no person is asked for, on the real platform. */
export async function composeMachineAuthorization(
  ...parts: Parameters<typeof machineOptions>
): Promise<Authorization> {
  return new MachineAuthorization(await machineOptions(...parts));
}

/** The same for the commands. */
export async function machineOptions(
  config: Config,
  key: string,
  process: ProcessParts,
  logger: Logger,
): Promise<MachineAuthorizationOptions> {
  const { home, oauth } = config;
  if (oauth.machineGrant === undefined) throw new InternalError('a machine grant without its settings');
  const { server, profile, resource, noResource, scope, assumePkce, allowHttp, dpop, issuer, tenantIssuer } =
    signInSettings(config);
  return {
    server,
    profile,
    resource,
    noResource,
    scope,
    assumePkce,
    allowHttp,
    dpop,
    key,
    logger,
    issuer,
    tenantIssuer,
    proofMemory: new Map(),
    headers: config.headers,
    store: await openStore({ home, logger, memory: config.store === 'memory' }),
    grant: oauth.machineGrant,
    client: oauth.client,
    readFile: readSettingsFile,
    createHttp: httpFactory(process.env, config.server, config),
    clock: systemClock,
    random: systemRandom,
  };
}
