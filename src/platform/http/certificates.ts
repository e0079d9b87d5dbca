import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { ConfigError } from '../../errors.ts';

/** Node 22.15 and later report the authorities they trust by default, including the system's if enabled. */
const { getCACertificates } = tls as { readonly getCACertificates?: (type: 'default') => readonly string[] };

/**
 * The certificate authorities with a file (PEM) named by `setting`: those that Node trusts by default, including NODE_EXTRA_CA_CERTS, and those in the file. A
 * list of authorities replaces Node's defaults, so it has to contain them all. Undefined: no file, and Node's defaults apply. Throws ConfigError for an
 * unusable file.
 */
export function trustedCertificates(
  caFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  setting = '--ca',
): readonly string[] | undefined {
  if (caFile === undefined) return undefined;
  const extra = env.NODE_EXTRA_CA_CERTS;
  const ofNode = getCACertificates?.('default') ?? tls.rootCertificates;
  const all = [...ofNode, ...(extra ? [readPem(extra, 'NODE_EXTRA_CA_CERTS')] : [])];
  return [...all, readPem(caFile, setting)];
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

/** Reads `--cert` and `--key`, which are only for the MCP server. Throws ConfigError for an unusable file. */
export function clientCertificate(files: ClientCertificateFiles, server: URL): ClientCertificate {
  return {
    origin: server.origin,
    cert: readPem(files.certFile, '--cert'),
    key: readPem(files.keyFile, '--key', 'private key'),
  };
}

const PEM = {
  certificate: /-----BEGIN CERTIFICATE-----/,
  'private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
} as const;

/** The text of a file in PEM form; `setting` named it. Throws ConfigError. */
export function readPem(file: string, setting: string, what: keyof typeof PEM = 'certificate'): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`the file named by ${setting} cannot be read: ${file}`, { cause });
  }
  if (PEM[what].test(text)) return text;
  throw new ConfigError(`the file named by ${setting} contains no ${what} in PEM form: ${file}`);
}
