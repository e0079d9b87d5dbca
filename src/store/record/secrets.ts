import type { CredentialRecord } from './record.ts';

/** What of a record no log may show (.github/SECURITY.md, attack 41). */
export function secretsOf(record: CredentialRecord | undefined): string[] {
  const { tokens, client, dpopKey } = record ?? {};
  const secrets = [
    tokens?.accessToken,
    tokens?.refreshToken,
    tokens?.idToken,
    client?.clientSecret,
    dpopKey?.d,
  ];
  return secrets.filter((secret) => secret !== undefined);
}
