import type { SignedIn, ValidToken } from '../../auth/credential/valid-token.ts';
import { AccessTokenFactory } from '../../auth/dpop/access-token.ts';
import { signInNeeded } from '../../auth/sign-in/ensure.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';

/** What a command needs to print a credential. */
export interface CredentialParts {
  readonly server: string;
  /** Gets the token exactly as a bridge would, by whatever grant is set. */
  readonly validToken: (signal: AbortSignal) => Promise<ValidToken>;
  /** What the user has to do if a sign-in is needed. */
  readonly signInHint: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

/** `token URL`: resolves with the whole output for stdout. Rejects with SignInNeededError. */
export async function token(
  parts: CredentialParts,
  { wholeHeader }: { readonly wholeHeader: boolean },
  signal: AbortSignal,
): Promise<string> {
  const record = await signedIn(parts, signal);
  if (record.tokens.tokenType === 'DPoP') return boundToken(record, parts, wholeHeader);
  return tokenLine(record.tokens.accessToken, wholeHeader);
}

/** RFC 9449 §7.1: the token is useless without a proof of possession of its key, and a proof is valid for one request. */
async function boundToken(
  record: SignedIn,
  { server, logger, clock, random }: CredentialParts,
  wholeHeader: boolean,
): Promise<string> {
  const bearer = new AccessTokenFactory({ clock, random, memory: new Map() }).of(record);
  if (!wholeHeader || bearer?.dpopProofs === undefined) {
    logger.inform('This token is bound to a key (DPoP): it is useless without a proof. --header adds one.');
    return tokenLine(record.tokens.accessToken, false);
  }
  const dpopProofs = await bearer.dpopProofs();
  const proof = dpopProofs.proof({ method: 'POST', url: new URL(server), token: bearer.token });
  logger.inform(
    `This token is bound to a key (DPoP). The proof is valid for one POST to ${server}, within a minute.`,
  );
  return `Authorization: DPoP ${bearer.token}\nDPoP: ${proof}\n`;
}

/** A bearer token as `token` prints it: by itself, or as a whole header line (RFC 6750 §2.1). */
export function tokenLine(accessToken: string, wholeHeader: boolean): string {
  return `${wholeHeader ? 'Authorization: Bearer ' : ''}${accessToken}\n`;
}

/** The credential with a valid token, for the commands that print one. Rejects with SignInNeededError. */
export async function signedIn(
  { server, validToken, signInHint }: CredentialParts,
  signal: AbortSignal,
): Promise<SignedIn> {
  const found = await validToken(signal);
  if (found.kind === 'sign-in') throw signInNeeded(server, signInHint);
  return found.record;
}
