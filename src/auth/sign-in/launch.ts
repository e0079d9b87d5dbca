import { certificateFlags } from '../../platform/process/certificate-flags.ts';
import { signInEnvironment } from '../../platform/process/child-environment.ts';
import type { LaunchIndependent } from '../../platform/process/independent-process.ts';
import { ADOPTION_MS } from '../../store/lease/lease.ts';
import type { SignInRequest } from '../sign-in-request.ts';

/** The command word with which the program starts itself as a sign-in process; not in the help. */
export const SIGN_IN_COMMAND = '__sign-in';

/** How the running program can be started once more. */
export interface SignInStarter {
  readonly launch: LaunchIndependent;
  /** The Node that runs this program. */
  readonly execPath: string;
  /** The flags of that Node, of which those that decide about certificates are passed on. */
  readonly execArgv: readonly string[];
  /** What it was given to run: the path of the entry comes last. */
  readonly entry: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type SignInStart =
  | { readonly kind: 'started' }
  /** Nobody has the lease; the caller can run the sign-in itself. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Starts the sign-in in a process of its own, independent of the host: hosts kill bridges that make them wait, and all that these have started,
 * and the person's login has to survive that. Resolves when that process has the lease; from then on the lease's status tells how it goes. Never
 * rejects.
 */
export async function startSignIn(request: SignInRequest, starter: SignInStarter): Promise<SignInStart> {
  const outcome = await starter.launch({
    command: starter.execPath,
    args: [...certificateFlags(starter.execArgv), ...starter.entry, SIGN_IN_COMMAND],
    env: signInEnvironment(starter.env),
    stdin: JSON.stringify(request),
    readyWithinMs: ADOPTION_MS,
  });
  // One that is slow may still take the lease, so that nobody else may.
  return outcome.kind === 'failed' ? outcome : { kind: 'started' };
}
