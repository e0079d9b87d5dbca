import type { Readable, Writable } from 'node:stream';
import type { CreateGuardedHttp } from '../auth/http/guarded-fetch.ts';
import type { Environment } from '../config/sources/environment.ts';
import {
  type ClientCertificateFiles,
  clientCertificate,
  trustedCertificates,
} from '../platform/http/certificates.ts';
import { createHttp } from '../platform/http/undici.ts';
import { withoutUndefined } from '../platform/without-undefined.ts';

/** The parts of `process` that the program uses. */
export interface ProcessParts {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly env: Environment;
  readonly pid: number;
  readonly execPath: string;
  /** Node's own flags, which precede the script. */
  readonly execArgv: readonly string[];
  /** The arguments of `execPath` that run this program. */
  readonly entry: readonly string[];
  /** Whether this is Electron's Node, whose `execPath` is the app: started, it would not run this program. */
  readonly isElectron: boolean;
}

/** Makes HTTP clients for authorization servers and the server's metadata; the address guard checks each connection first. */
export function httpFactory(
  env: Environment,
  server: URL,
  settings: {
    readonly caFile?: string | undefined;
    readonly clientCertificate?: ClientCertificateFiles | undefined;
  },
): CreateGuardedHttp {
  return (allowAddress) => {
    const { caFile, clientCertificate: files } = settings;
    const ca = trustedCertificates(caFile, env);
    return createHttp({
      env,
      allowAddress,
      ...withoutUndefined({ ca, clientCertificate: files && clientCertificate(files, server) }),
    });
  };
}
