import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Authorization, staticAuthorization } from '../auth/authorization.ts';
import { openCredential } from '../compose/credential.ts';
import { type Platform, serverHttp, systemPlatform } from '../compose/platform.ts';
import { settingSecrets } from '../compose/settings/setting-secrets.ts';
import { openConfigured } from '../compose/store/open-store.ts';
import type { Config } from '../config/config.ts';
import { libraryConfig, shapeOf } from '../config/library-config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { ConfigError, InternalError } from '../errors.ts';
import type { Http } from '../platform/http/http.ts';
import { silentLogger } from '../platform/log/logger.ts';
import { setProgramFile } from '../platform/program/program-command.ts';
import { keepSecret } from '../redaction/secrets.ts';
import type { Shared } from '../store/open-shared.ts';
import { keyOf } from '../store/record/credential-key.ts';
import type { LoginOptions } from './interface/login-options.ts';
import type { LoginStore } from './interface/store-interface.ts';

/** The checked settings of a login, and the options for the library only. */
export interface LoginSettings {
  readonly config: Config;
  readonly own: { readonly [name in 'fetch' | 'onPrompt']: LoginOptions[name] | undefined } & {
    readonly store: LoginStore | undefined;
  };
}

/** Throws ConfigError, which names the option. */
export function loginSettings(url: unknown, options: LoginOptions): LoginSettings {
  if (typeof options !== 'object' || options === null) throw new ConfigError('the options are no object');
  // Without a prototype: properties that other code has added to Object.prototype are not options.
  const { fetch, onPrompt, ...given }: LoginOptions = Object.assign(Object.create(null), options);
  for (const [name, value] of Object.entries({ fetch, onPrompt })) {
    if (value !== undefined && typeof value !== 'function')
      throw new ConfigError(`${name}: expected a function; got a ${typeof value}`);
  }
  const store = ownStore(options.store);
  setProgramFile(PROGRAM);
  // The settings of a shared store also apply to a program's own, except for its address.
  const place = store === undefined ? {} : { store: PLACEHOLDER, storeFile: undefined };
  const checked = libraryConfig(
    url,
    { noBrowser: true, ...given, ...place },
    { environment: process.env, readFile: readSettingsFile },
  );
  const config = store === undefined ? checked : withoutPlaceholder(checked);
  const { headers, server, oauth } = config;
  for (const secret of settingSecrets({ headers, server, ...oauth }, process.env)) {
    keepSecret(secret, 'setting');
  }
  return { config, own: { fetch, onPrompt, store } };
}

/** Nothing is ever sent there. */
const PLACEHOLDER = 'rediss://program.invalid';

function ownStore(store: LoginOptions['store']): LoginStore | undefined {
  if (store === undefined || typeof store === 'string') return undefined;
  if (typeof store?.read === 'function' && typeof store.write === 'function') return store;
  throw new ConfigError(
    `store: expected a kind, an address, or an object with read and write; got ${shapeOf(store)}`,
  );
}

/** A terminal has no such store: the program itself has to start the sign-in. */
function withoutPlaceholder(config: Config): Config {
  return { ...config, loginCommand: { words: [], notes: ['in the program that has this store'] } };
}

/** The program of this package, as which the sign-in process runs. It is one folder above each folder of the package's files. */
const PROGRAM = fileURLToPath(new URL('../launch.cjs', import.meta.url));

/** The parts of a login. */
export interface LoginParts {
  readonly config: Config;
  readonly key: string;
  readonly platform: Platform;
  readonly http: Http;
  readonly shared: Shared;
  /** The authorization, as stored when this is created. `isAsked`: the program itself requests a sign-in. */
  authorization(isAsked: boolean): Promise<Authorization>;
}

/** Opens the store and the HTTP client. `stop`: aborts when the login is closed. Rejects with a DrawbridgeError. */
export async function openParts({ config, own }: LoginSettings, stop: AbortSignal): Promise<LoginParts> {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const system: Platform = { ...systemPlatform(PROGRAM, streams), stop };
  // Another process could not use this process's store: the sign-in runs here.
  const platform = own.store === undefined ? system : { ...system, launch: noProcess };
  const key = keyOf(config);
  const http = await serverHttp(platform, config);
  const shared =
    own.store === undefined
      ? await openConfigured(config, platform, silentLogger)
      : await openOwn(own.store, config, platform);
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

const noProcess: Platform['launch'] = async () => ({
  kind: 'failed',
  reason: 'the store is of this process',
});

async function openOwn(own: LoginStore, { store }: Config, platform: Platform): Promise<Shared> {
  if (store.kind !== 'shared') throw new InternalError("a program's own store without its settings");
  const [{ storeSettings }, { openProgramStore }] = await Promise.all([
    import('../compose/store/open-store.ts'),
    import('./store/open-program-store.ts'),
  ]);
  const { store: choice } = storeSettings(
    { home: undefined, keychain: undefined, store },
    platform,
    silentLogger,
  );
  if (choice.kind !== 'shared') throw new InternalError("a program's own store without its settings");
  const { clock, random } = platform;
  const { prefix, secrets } = choice;
  return openProgramStore(own, { prefix, secrets, clock, random, logger: silentLogger });
}
