import { signInNeeded } from '../auth/ask-sign-in.ts';
import type { SignedIn, ValidToken } from '../auth/valid-token.ts';

export interface CredentialParts {
  readonly server: string;
  /** The token as every bridge would have it, by whatever grant. */
  readonly validToken: (signal: AbortSignal) => Promise<ValidToken>;
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
  { server, validToken, signInHint }: CredentialParts,
  signal: AbortSignal,
): Promise<SignedIn> {
  const found = await validToken(signal);
  if (found.kind === 'sign-in') throw signInNeeded(server, signInHint);
  return found.record;
}
