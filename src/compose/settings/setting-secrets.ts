import type { Config, StoreConfig } from '../../config/config.ts';
import { parseStoreUrl, StoreUrlFault } from '../../protocol/store-url.ts';
import { querySecrets } from '../../redaction/query-secrets.ts';

/** The settings that may contain secrets. */
export interface SecretSettings {
  readonly headers: Config['headers'];
  readonly server?: URL | undefined;
  readonly client?:
    | { readonly clientSecret?: string | undefined; readonly signingKey?: string | undefined }
    | undefined;
  readonly machineGrant?: Config['oauth']['machineGrant'];
  readonly store?: StoreConfig | undefined;
}

/**
 * The secrets in the settings: the values of the user's headers, the query of the server's address, the secrets of clients, the password and keys
 * of a shared store, and the passwords of proxies.
 */
export function settingSecrets(
  { headers, server, client, machineGrant: grant, store }: SecretSettings,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const idpClientSecret = grant?.kind === 'enterprise' ? grant.idpClientSecret : undefined;
  return [
    ...headers.flatMap(headerSecrets),
    ...(server === undefined ? [] : querySecrets(server)),
    ...[client?.clientSecret, client?.signingKey, idpClientSecret].filter((each) => each !== undefined),
    ...(store?.kind === 'shared' ? storeSecrets(store) : []),
    ...PROXY_VARIABLES.flatMap((name) => passwordsIn(env[name] ?? env[name.toLowerCase()])),
  ];
}

const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/** Headers whose values are not secret; redacting `application/json` everywhere would only hide problems. */
const NO_SECRETS = new Set(['accept', 'accept-language', 'cache-control', 'content-type', 'user-agent']);

function headerSecrets([name, value]: Config['headers'][number]): string[] {
  const lowered = name.toLowerCase();
  if (NO_SECRETS.has(lowered)) return [];
  return lowered === 'cookie' ? cookieValues(value) : [value];
}

/** The values in a `Cookie` header (RFC 6265 §4.2.1); a server may quote each of them by itself. */
function cookieValues(header: string): string[] {
  const values = header.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
  return [header, ...values];
}

function storeSecrets({ url, keys }: Extract<StoreConfig, { kind: 'shared' }>): string[] {
  const parsed = parseStoreUrl(url);
  const password = parsed instanceof StoreUrlFault ? undefined : parsed.password;
  const secrets = keys.kind === 'secrets' ? keys.secrets : [];
  const encoded = password === undefined ? [] : [password, encodeURIComponent(password)];
  return [...encoded, ...secrets.flatMap(keySpellings)];
}

/** A key in each form in which it may be configured. */
export function keySpellings(key: Uint8Array): string[] {
  const bytes = Buffer.from(key);
  return [bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')];
}

function passwordsIn(proxy: string | undefined): string[] {
  if (proxy === undefined || !URL.canParse(proxy)) return [];
  const { password } = new URL(proxy);
  return password === '' ? [] : [password];
}
