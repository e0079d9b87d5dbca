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

/** What the process gives the program. */
export interface ProcessParts {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly env: Environment;
  readonly pid: number;
  readonly execPath: string;
  /** Node's own flags, which came before the entry. */
  readonly execArgv: readonly string[];
  /** What runs this program when given to `execPath`. */
  readonly entry: readonly string[];
}

/** Connections for authorization servers and the server's own metadata: each asks the guard before it is made. */
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
