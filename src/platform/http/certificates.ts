import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { ConfigError } from '../../errors.ts';

/** Node 22.15 and later tell which authorities they trust by default, including the system's where that was asked for. */
const { getCACertificates } = tls as { readonly getCACertificates?: (type: 'default') => readonly string[] };

/**
 * The certificate authorities for `--ca FILE` (PEM): those that Node trusts by default, including NODE_EXTRA_CA_CERTS, and those in the file.
 * A list of authorities replaces Node's defaults, so it has to contain them all. Undefined: no `--ca`, and Node's defaults apply. Throws
 * ConfigError for a file that cannot be used.
 */
export function trustedCertificates(
  caFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] | undefined {
  if (caFile === undefined) return undefined;
  const extra = env.NODE_EXTRA_CA_CERTS;
  const ofNode = getCACertificates?.('default') ?? tls.rootCertificates;
  const all = [...ofNode, ...(extra ? [readPem(extra, 'NODE_EXTRA_CA_CERTS')] : [])];
  return [...all, readPem(caFile, '--ca')];
}

/** The paths of `--cert` and `--key`. */
export interface ClientCertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A client certificate and its key (PEM), and the only origin to which they are shown. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  readonly origin: string;
}

/** Reads `--cert` and `--key`, which are only for the MCP server. Throws ConfigError for a file that cannot be used. */
export function clientCertificate(files: ClientCertificateFiles, server: URL): ClientCertificate {
  return {
    origin: server.origin,
    cert: readPem(files.certFile, '--cert'),
    key: readPem(files.keyFile, '--key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/),
  };
}

function readPem(file: string, setting: string, wanted = /-----BEGIN CERTIFICATE-----/): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`the file named by ${setting} cannot be read: ${file}`, { cause });
  }
  if (wanted.test(text)) return text;
  const what = setting === '--key' ? 'private key' : 'certificate';
  throw new ConfigError(`the file named by ${setting} contains no ${what} in PEM form: ${file}`);
}
