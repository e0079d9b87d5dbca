import { ConfigError } from '../../errors.ts';
import type { TlsSettings } from '../../platform/dial.ts';
import { readPem, trustedCertificates } from '../../platform/http/certificates.ts';
import { parseStoreUrl, type StoreUrl, StoreUrlFault } from '../../protocol/store-url.ts';
import { keepSecret } from '../../redaction/secrets.ts';
import type { EngineTools } from './commands.ts';
import { RedisEngine } from './redis-engine.ts';

export interface OpenTools extends EngineTools {
  /** For NODE_EXTRA_CA_CERTS. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The engine at such an address. Does not connect yet. Throws ConfigError for an unusable address, or an unusable file named in it; the message does not quote
 * the address. Registers the password as a secret.
 */
export function openRedisEngine(address: string, tools: OpenTools): RedisEngine {
  const url = parseStoreUrl(address);
  if (url instanceof StoreUrlFault)
    throw new ConfigError(`the address of the store: expected ${url.expected}`);
  keepSecret(url.password, 'setting');
  return new RedisEngine(url, readTls(url, tools.env), tools);
}

function readTls(
  { tls, files: { ca, cert, key } }: StoreUrl,
  env: OpenTools['env'],
): TlsSettings | undefined {
  if (!tls) return undefined;
  const of = (name: string) => `${name}= in the address of the store`;
  return {
    authorities: trustedCertificates(ca, env, of('ca')),
    certificate:
      cert === undefined || key === undefined
        ? undefined
        : { cert: readPem(cert, of('cert')), key: readPem(key, of('key'), 'private key') },
  };
}
