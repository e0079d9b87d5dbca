import { writePortable } from '../../store/record/portable.ts';
import { type CredentialParts, signedIn } from './token.ts';

/** `tokens export URL`: the complete credential as JSON, for a machine without sign-ins. Rejects with SignInNeededError. */
export async function tokensExport(parts: CredentialParts, signal: AbortSignal): Promise<string> {
  return writePortable(await signedIn(parts, signal));
}
