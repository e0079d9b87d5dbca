import { certificateFlags } from '../../platform/process/certificate-flags.ts';
import { signInEnvironment } from '../../platform/process/child-environment.ts';
import type { Launch } from '../../platform/process/child-process.ts';
import { SignInFailedError } from '../errors/sign-in-errors.ts';
import type { SignInRequest } from '../sign-in-request.ts';

/** The command word with which the program starts itself as a sign-in process; not in the help. */
export const SIGN_IN_COMMAND = '__sign-in';

/** How the running program can be started once more. */
export interface SignInStarter {
  readonly launch: Launch;
  /** The Node that runs this program. */
  readonly execPath: string;
  /** The flags of that Node, of which those that decide about certificates are passed on. */
  readonly execArgv: readonly string[];
  /** What it was given to run: the path of the entry comes last. */
  readonly entry: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts the sign-in in a process of its own, detached: hosts kill bridges that make them wait, and the person's login has
 * to survive that. Resolves when it runs and has its request; from then on the lease's status tells how it goes.
 */
export async function startSignIn(request: SignInRequest, starter: SignInStarter): Promise<void> {
  const outcome = await starter.launch({
    command: starter.execPath,
    args: [...certificateFlags(starter.execArgv), ...starter.entry, SIGN_IN_COMMAND],
    env: signInEnvironment(starter.env),
    stdin: JSON.stringify(request),
    watchMs: 0,
  });
  if (outcome.kind === 'running') return;
  const why = outcome.kind === 'failed' ? outcome.reason : `exit code ${outcome.code}`;
  throw new SignInFailedError(`the sign-in process did not start (${why})`);
}
