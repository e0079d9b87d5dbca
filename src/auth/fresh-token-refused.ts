import { quote } from '../protocol/quote.ts';
import type { CredentialRecord } from '../store/record.ts';
import { FreshTokenRefusedError } from './authorization-errors.ts';

/** Names what decides whether a server takes a token: who issued it, for whom, for what. */
export function freshTokenRefused(record: CredentialRecord | undefined): FreshTokenRefusedError {
  const issuer = record === undefined ? 'its authorization server' : quote(record.issuer);
  const audience =
    record?.resource === undefined ? 'no named audience' : `audience ${quote(record.resource)}`;
  const granted = record?.tokens?.scope ?? record?.requestedScope;
  const scope = granted === undefined ? 'no named scope' : `scope ${quote(granted)}`;
  return new FreshTokenRefusedError(
    `the server refuses what ${issuer} has just issued for it (401): a token for ${audience} and ${scope}`,
    { hint: 'The audience can be set with --resource and the scope with --scope.' },
  );
}
