import { certificateFlags } from '../../platform/process/certificate-flags.ts';
import { signInEnvironment } from '../../platform/process/child-environment.ts';
import type { LaunchIndependent } from '../../platform/process/independent-process.ts';
import { ADOPTION_MS } from '../../store/lease/lease.ts';
import type { SignInRequest } from '../sign-in-request.ts';

/** The command that starts the program as a sign-in process; not listed in the help. */
export const SIGN_IN_COMMAND = '__sign-in';

/** How to start the running program again. */
export interface SignInStarter {
  readonly launch: LaunchIndependent;
  /** The Node that runs this program. */
  readonly execPath: string;
  /** The flags of that Node; those about certificates are passed on. */
  readonly execArgv: readonly string[];
  /** Its arguments: the path of the entry comes last. */
  readonly entry: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type SignInStart =
  | { readonly kind: 'started' }
  /** No process has the lease; the caller can run the sign-in itself. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Starts the sign-in in a separate process, independent of the host: hosts kill bridges that make them wait, with all their descendants, and the person's
 * sign-in has to survive that. Resolves when that process has the lease; from then on the lease's status shows the progress. Never rejects.
 */
export async function startSignIn(request: SignInRequest, starter: SignInStarter): Promise<SignInStart> {
  const outcome = await starter.launch({
    command: starter.execPath,
    args: [...certificateFlags(starter.execArgv), ...starter.entry, SIGN_IN_COMMAND],
    env: signInEnvironment(starter.env),
    stdin: JSON.stringify(request),
    readyWithinMs: ADOPTION_MS,
  });
  // A slow process may still take the lease, so no other may.
  return outcome.kind === 'failed' ? outcome : { kind: 'started' };
}
