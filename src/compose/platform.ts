import type { Readable, Writable } from 'node:stream';
import type { CreateGuardedHttp } from '../auth/http/guarded-fetch.ts';
import type { Environment } from '../config/sources/environment.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { OpenBrowser } from '../platform/desktop/browser.ts';
import {
  type ClientCertificateFiles,
  clientCertificate,
  trustedCertificates,
} from '../platform/http/certificates.ts';
import type { Http } from '../platform/http/http.ts';
import type { Listen } from '../platform/http/loopback-listener.ts';
import { createHttp, type HttpOptions } from '../platform/http/undici.ts';
import { type LaunchIndependent, launchIndependent } from '../platform/process/independent-process.ts';
import { watchParent } from '../platform/process/parent.ts';
import { type Random, systemRandom } from '../platform/random.ts';
import { withoutUndefined } from '../platform/without-undefined.ts';

/**
 * Everything outside the program that the composition uses: the parts of Node's `process`, and the ports. The program runs on `systemPlatform`; a test passes
 * other streams, clocks or browsers and gets the same composition.
 */
export interface Platform {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly env: Environment;
  readonly pid: number;
  readonly execPath: string;
  /** Node's own flags, which precede the script. */
  readonly execArgv: readonly string[];
  /** The arguments of `execPath` that run this program. */
  readonly entry: readonly string[];
  /** Whether this is Electron's Node, whose `execPath` is the application: started, it would not run this program. */
  readonly isElectron: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly createHttp: (options: HttpOptions) => Promise<Http>;
  /** Starts the sign-in process. */
  readonly launch: LaunchIndependent;
  /** Returns a function that tells whether the process that started this one has ended. */
  readonly watchParent: () => () => boolean;
  /** The code that only a sign-in needs is loaded for one. */
  readonly loadListen: () => Promise<Listen>;
  readonly loadBrowser: () => Promise<OpenBrowser>;
  /** Aborts when everything on this platform has to end, if that is not the end of the process. */
  readonly stop?: AbortSignal;
}

/** The real platform. `script`: the program's first file, as passed to Node. `streams`: the library does not use those of the process. */
export function systemPlatform(
  script: string,
  { stdin, stdout }: Pick<Platform, 'stdin' | 'stdout'> = process,
): Platform {
  const { env, pid, execPath, execArgv, versions } = process;
  return {
    stdin,
    stdout,
    env,
    pid,
    execPath,
    execArgv,
    entry: [script],
    isElectron: versions.electron !== undefined,
    clock: systemClock,
    random: systemRandom,
    createHttp,
    launch: launchIndependent,
    watchParent,
    loadListen: async () => (await import('../platform/http/loopback-listener.ts')).listenOnLoopback,
    loadBrowser: async () => (await import('../platform/desktop/browser.ts')).createBrowser(env),
  };
}

/** The settings about certificates. */
interface CertificateSettings {
  readonly caFile?: string | undefined;
  readonly clientCertificate?: ClientCertificateFiles | undefined;
}

/** HTTP to the MCP server. Rejects with a ConfigError for unreadable certificates. */
export async function serverHttp(
  { env, createHttp }: Platform,
  settings: CertificateSettings & { readonly server: URL; readonly connectTimeoutMs: number },
): Promise<Http> {
  const { server, connectTimeoutMs } = settings;
  return createHttp({ env, connectTimeoutMs, ...certificates(env, server, settings) });
}

/** Creates HTTP clients for authorization servers and the server's metadata; the address guard checks each connection first. */
export function httpFactory(
  { env, createHttp }: Platform,
  server: URL,
  settings: CertificateSettings,
): CreateGuardedHttp {
  return (allowAddress) => createHttp({ env, allowAddress, ...certificates(env, server, settings) });
}

function certificates(
  env: Environment,
  server: URL,
  { caFile, clientCertificate: files }: CertificateSettings,
) {
  const ca = trustedCertificates(caFile, env);
  return withoutUndefined({ ca, clientCertificate: files && clientCertificate(files, server) });
}
