import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Authorization, staticAuthorization } from '../auth/authorization.ts';
import { openCredential } from '../compose/credential.ts';
import { type Platform, serverHttp, systemPlatform } from '../compose/platform.ts';
import { settingSecrets } from '../compose/settings/setting-secrets.ts';
import { openConfigured } from '../compose/store/open-store.ts';
import type { Config } from '../config/config.ts';
import { libraryConfig } from '../config/library-config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { ConfigError } from '../errors.ts';
import type { Http } from '../platform/http/http.ts';
import { silentLogger } from '../platform/log/logger.ts';
import { setProgramFile } from '../platform/program/program-command.ts';
import { keepSecret } from '../redaction/secrets.ts';
import type { Shared } from '../store/open-shared.ts';
import { keyOf } from '../store/record/credential-key.ts';
import type { LoginOptions } from './interface/login-options.ts';

/** The settings of a login, checked, and what of the options is for the library alone. */
export interface LoginSettings {
  readonly config: Config;
  readonly own: { readonly [name in 'fetch' | 'onPrompt']: LoginOptions[name] | undefined };
}

/** Throws ConfigError, which names the option. */
export function loginSettings(url: unknown, options: LoginOptions): LoginSettings {
  if (typeof options !== 'object' || options === null) throw new ConfigError('the options are no object');
  // Without a prototype: what other code has put on that of all objects is no option.
  const { fetch, onPrompt, ...given }: LoginOptions = Object.assign(Object.create(null), options);
  for (const [name, value] of Object.entries({ fetch, onPrompt })) {
    if (value !== undefined && typeof value !== 'function')
      throw new ConfigError(`${name}: expected a function; got a ${typeof value}`);
  }
  setProgramFile(PROGRAM);
  const config = libraryConfig(
    url,
    { noBrowser: true, ...given },
    { environment: process.env, readFile: readSettingsFile },
  );
  const { headers, server, oauth } = config;
  for (const secret of settingSecrets({ headers, server, ...oauth }, process.env)) {
    keepSecret(secret, 'setting');
  }
  return { config, own: { fetch, onPrompt } };
}

/** The program of this package: the sign-in runs in a process of it. From each folder of the package's files it is one up. */
const PROGRAM = fileURLToPath(new URL('../launch.cjs', import.meta.url));

/** The parts that a login consists of. */
export interface LoginParts {
  readonly config: Config;
  readonly key: string;
  readonly platform: Platform;
  readonly http: Http;
  readonly shared: Shared;
  /** The authorization, as it is in the store when it is made. `isAsked`: the program itself asks for a sign-in. */
  authorization(isAsked: boolean): Promise<Authorization>;
}

/** Opens the store and the HTTP client. `stop`: aborts when the login is closed. Rejects with a DrawbridgeError. */
export async function openParts(config: Config, stop: AbortSignal): Promise<LoginParts> {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const platform: Platform = { ...systemPlatform(PROGRAM, streams), stop };
  const key = keyOf(config);
  const http = await serverHttp(platform, config);
  const shared = await openConfigured(config, platform, silentLogger);
  const authorization = async (isAsked: boolean): Promise<Authorization> => {
    if (config.staticAuthorization) return staticAuthorization();
    if (config.oauth.machineGrant !== undefined) {
      const [{ machineOptions }, { createMachineAuthorization }] = await Promise.all([
        import('../compose/machine.ts'),
        import('../auth/machine/machine-authorization.ts'),
      ]);
      return createMachineAuthorization(await machineOptions(config, key, platform, silentLogger, shared));
    }
    const { createInteractiveAuthorization } = await import(
      '../auth/credential/interactive-authorization.ts'
    );
    const { nonInteractiveReason, ...rest } = config;
    const isAllowed = isAsked && nonInteractiveReason !== 'asked';
    const credential = await openCredential(isAllowed ? rest : config, key, platform, silentLogger, shared);
    return createInteractiveAuthorization(credential);
  };
  return { config, key, platform, http, shared, authorization };
}
