import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { ConfigError } from '../../errors.ts';

/**
 * The certificate authorities for `--ca FILE`: Node's own, those of NODE_EXTRA_CA_CERTS, and the file's. Naming any replaces Node's defaults
 * whole, so all are named. `undefined`: nothing was asked for, Node's defaults (which honour NODE_EXTRA_CA_CERTS by themselves) hold.
 */
export function trustedCertificates(
  caFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] | undefined {
  if (caFile === undefined) return undefined;
  const extra = env.NODE_EXTRA_CA_CERTS;
  return [
    ...rootCertificates,
    ...(extra ? [readPem(extra, 'NODE_EXTRA_CA_CERTS')] : []),
    readPem(caFile, '--ca'),
  ];
}

/** `--cert` and `--key`. */
export function clientCertificate(files: { readonly certFile: string; readonly keyFile: string }): {
  readonly cert: string;
  readonly key: string;
} {
  return {
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
