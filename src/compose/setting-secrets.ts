import type { Config } from '../config/config.ts';

export interface SecretSettings {
  readonly headers: Config['headers'];
  readonly client?:
    | { readonly clientSecret?: string | undefined; readonly signingKey?: string | undefined }
    | undefined;
  readonly machineGrant?: Config['oauth']['machineGrant'];
}

/** What of the settings nobody is to be told: the values of the user's headers, the secrets of clients, the passwords of proxies. */
export function settingSecrets(
  { headers, client, machineGrant: grant }: SecretSettings,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const idpClientSecret = grant?.kind === 'enterprise' ? grant.idpClientSecret : undefined;
  return [
    ...headers.flatMap(([name, value]) => (name.toLowerCase() === 'cookie' ? cookieValues(value) : [value])),
    ...[client?.clientSecret, client?.signingKey, idpClientSecret].filter((each) => each !== undefined),
    ...PROXY_VARIABLES.flatMap((name) => passwordsIn(env[name] ?? env[name.toLowerCase()])),
  ];
}

const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/** RFC 6265 §4.2.1. A server may show each alone. */
function cookieValues(header: string): string[] {
  const values = header.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
  return [header, ...values];
}

function passwordsIn(proxy: string | undefined): string[] {
  if (proxy === undefined || !URL.canParse(proxy)) return [];
  const { password } = new URL(proxy);
  return password === '' ? [] : [password];
}
