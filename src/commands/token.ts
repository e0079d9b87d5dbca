import { signInNeeded } from '../auth/ask-sign-in.ts';
import type { AuthorizationOptions } from '../auth/credential-authorization.ts';
import { type SignedIn, validToken } from '../auth/valid-token.ts';

export interface CredentialParts {
  readonly credential: AuthorizationOptions;
  /** What a person has to do where a sign-in is needed. */
  readonly signInHint: string;
}

/** `token URL`: what goes to stdout, and nothing beside it. Rejects with SignInNeededError. */
export async function token(
  parts: CredentialParts,
  { wholeHeader }: { readonly wholeHeader: boolean },
  signal: AbortSignal,
): Promise<string> {
  const { tokens } = await signedIn(parts, signal);
  return tokenLine(tokens.accessToken, wholeHeader);
}

export function tokenLine(accessToken: string, wholeHeader: boolean): string {
  return `${wholeHeader ? 'Authorization: Bearer ' : ''}${accessToken}\n`;
}

/** The credential with a token that serves, for every command that hands one out. */
export async function signedIn(
  { credential, signInHint }: CredentialParts,
  signal: AbortSignal,
): Promise<SignedIn> {
  const found = await validToken(credential, signal);
  if (found.kind === 'sign-in') throw signInNeeded(credential.settings.server, signInHint);
  return found.record;
}
