import type { Readable, Writable } from 'node:stream';
import type { AddressGuard } from '../auth/http/address-policy.ts';
import type { Environment } from '../config/sources/environment.ts';
import { trustedCertificates } from '../platform/http/certificates.ts';
import { createHttp } from '../platform/http/undici.ts';

/** What the process gives the program. */
export interface ProcessParts {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly env: Environment;
  readonly pid: number;
  readonly execPath: string;
  /** What runs this program when given to `execPath`: Node's own flags, then the entry. */
  readonly entry: readonly string[];
}

/** Connections for authorization servers: each asks the guard before it is made. */
export function httpFactory(env: Environment, caFile: string | undefined) {
  return (allowAddress: AddressGuard['allow']) => {
    const ca = trustedCertificates(caFile, env);
    return createHttp({ env, allowAddress, ...optional({ ca }) });
  };
}

/** Leaves out what is not there, as `exactOptionalPropertyTypes` wants it. */
export function optional<T extends object>(values: T): { [name in keyof T]?: NonNullable<T[name]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
