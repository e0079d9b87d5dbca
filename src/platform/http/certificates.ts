import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { ConfigError } from '../../errors.ts';

/** Node 22.15 and later say what they trust by default: the system's authorities too where that was asked for. */
const { getCACertificates } = tls as { readonly getCACertificates?: (type: 'default') => readonly string[] };

/**
 * The certificate authorities for `--ca FILE`: those that Node trusts by default, NODE_EXTRA_CA_CERTS among them, and the file's. Naming any
 * replaces Node's defaults whole, so all are named. `undefined`: nothing was asked for, and Node's defaults hold.
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

export interface ClientCertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A client certificate and its key (PEM), and the one origin that may see them. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  readonly origin: string;
}

/** `--cert` and `--key`, for the MCP server and nobody else. */
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
    throw new ConfigError(`the file of ${setting} cannot be read: ${file}`, { cause });
  }
  if (wanted.test(text)) return text;
  const what = setting === '--key' ? 'private key' : 'certificate';
  throw new ConfigError(`the file of ${setting} holds no ${what} in PEM form: ${file}`);
}
