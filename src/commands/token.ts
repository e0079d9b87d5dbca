import type { SignedIn, ValidToken } from '../auth/credential/valid-token.ts';
import { AccessTokenFactory } from '../auth/dpop/access-token.ts';
import { signInNeeded } from '../auth/sign-in/ensure.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/logger.ts';
import type { Random } from '../platform/random.ts';

export interface CredentialParts {
  readonly server: string;
  /** The token as every bridge would have it, by whatever grant. */
  readonly validToken: (signal: AbortSignal) => Promise<ValidToken>;
  /** What a person has to do where a sign-in is needed. */
  readonly signInHint: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

/** `token URL`: what goes to stdout, and nothing beside it. Rejects with SignInNeededError. */
export async function token(
  parts: CredentialParts,
  { wholeHeader }: { readonly wholeHeader: boolean },
  signal: AbortSignal,
): Promise<string> {
  const record = await signedIn(parts, signal);
  if (record.tokens.tokenType === 'DPoP') return boundToken(record, parts, wholeHeader);
  return tokenLine(record.tokens.accessToken, wholeHeader);
}

/** RFC 9449 §7.1: without a proof of its key the token is no use, and a proof is for one request. */
async function boundToken(
  record: SignedIn,
  { server, logger, clock, random }: CredentialParts,
  wholeHeader: boolean,
): Promise<string> {
  const bearer = new AccessTokenFactory({ clock, random, memory: new Map() }).of(record);
  if (!wholeHeader || bearer?.dpopProofs === undefined) {
    logger.inform('This token is bound to a key (DPoP): alone it opens nothing. --header adds a proof.');
    return tokenLine(record.tokens.accessToken, false);
  }
  const dpopProofs = await bearer.dpopProofs();
  const proof = dpopProofs.proof({ method: 'POST', url: new URL(server), token: bearer.token });
  logger.inform(
    `This token is bound to a key (DPoP). The proof is for one POST to ${server}, within a minute.`,
  );
  return `Authorization: DPoP ${bearer.token}\nDPoP: ${proof}\n`;
}

export function tokenLine(accessToken: string, wholeHeader: boolean): string {
  return `${wholeHeader ? 'Authorization: Bearer ' : ''}${accessToken}\n`;
}

/** The credential with a token that serves, for every command that hands one out. */
export async function signedIn(
  { server, validToken, signInHint }: CredentialParts,
  signal: AbortSignal,
): Promise<SignedIn> {
  const found = await validToken(signal);
  if (found.kind === 'sign-in') throw signInNeeded(server, signInHint);
  return found.record;
}
