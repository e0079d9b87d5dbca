import { keepSecret } from '../../redaction/secrets.ts';

/** A record, or the part of one that a caller has. */
export interface SecretHolder {
  readonly tokens?:
    | {
        readonly accessToken?: string | undefined;
        readonly refreshToken?: string | undefined;
        readonly idToken?: string | undefined;
      }
    | undefined;
  readonly client?: { readonly clientSecret?: string | undefined } | undefined;
  readonly dpopKey?: { readonly d: string } | undefined;
}

/** The only list of the parts of a credential that no log and no response may show (.github/SECURITY.md, attack 41). */
export function secretsOf({ tokens, client, dpopKey }: SecretHolder): string[] {
  const secrets = [
    tokens?.accessToken,
    tokens?.refreshToken,
    tokens?.idToken,
    client?.clientSecret,
    dpopKey?.d,
  ];
  return secrets.filter((secret) => secret !== undefined);
}

/** Registers the credential's secrets for redaction. To be called with each record that comes from the store or from a server. */
export function keepSecretsOf(holder: SecretHolder | undefined): void {
  for (const secret of secretsOf(holder ?? {})) keepSecret(secret);
}
