import { quote } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import { FreshTokenRefusedError } from '../errors/errors.ts';
import type { HasIssuerChanged } from './issuer-change.ts';
import type { RefusedTokens } from './refused-tokens.ts';

/** Returns if the server has moved to another issuer, which needs a sign-in. Otherwise throws FreshTokenRefusedError. */
export async function requireIssuerChange(
  record: CredentialRecord | undefined,
  challenge: BearerChallenge | undefined,
  {
    refusals,
    hasIssuerChanged,
  }: { readonly refusals: RefusedTokens; readonly hasIssuerChanged: HasIssuerChanged },
): Promise<void> {
  if (refusals.mayRecheckIssuer() && (await hasIssuerChanged(record?.issuer, challenge))) return;
  throw freshTokenRefused(record, challenge);
}

/** The error names the facts on which a server's acceptance depends: issuer, audience, scope. */
export function freshTokenRefused(
  record: CredentialRecord | undefined,
  challenge: BearerChallenge | undefined,
): FreshTokenRefusedError {
  const issuer = record === undefined ? 'its authorization server' : quote(record.issuer);
  const audience =
    record?.resource === undefined ? 'no named audience' : `audience ${quote(record.resource)}`;
  const granted = record?.tokens?.scope ?? record?.requestedScope;
  const scope = granted === undefined ? 'no named scope' : `scope ${quote(granted)}`;
  return new FreshTokenRefusedError(
    `the server refuses what ${issuer} has just issued for it (401): a token for ${audience} and ${scope}`,
    { hint: wantsKey(record, challenge) ? KEY_HINT : HINT },
  );
}

const HINT = 'The audience can be set with --resource and the scope with --scope.';
const KEY_HINT =
  'The server requires tokens bound to a key (DPoP): its authorization server has to issue them, and --dpop never prevents that.';

function wantsKey(record: CredentialRecord | undefined, challenge: BearerChallenge | undefined): boolean {
  return record?.tokens?.tokenType !== 'DPoP' && challenge?.dpop !== undefined;
}
