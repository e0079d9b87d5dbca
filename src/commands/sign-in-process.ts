import { type RunSignInDeps, runSignIn } from '../auth/sign-in/run.ts';
import { MAX_REQUEST_BYTES, readSignInRequest, type SignInRequest } from '../auth/sign-in-request.ts';
import { describeError, UsageError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';

/** What the sign-in process needs. */
export interface SignInProcessOptions {
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Creates the platform for the request: its store, certificate authorities and log. */
  readonly compose: (
    request: SignInRequest,
  ) => Promise<{ readonly deps: RunSignInDeps; readonly close: () => Promise<void> }>;
  readonly logger: Logger;
  /** SIGTERM and the like. */
  readonly signal: AbortSignal;
}

/** `__sign-in`: what the detached process runs. Never rejects; resolves with the exit code, which only serves debugging. */
export async function signInProcess(options: SignInProcessOptions): Promise<number> {
  const { stdin, compose, logger, signal } = options;
  try {
    const request = readSignInRequest(await readAll(stdin));
    const { deps, close } = await compose(request);
    try {
      const outcome = await runSignIn(request, deps, signal);
      if (outcome.kind !== 'signed-in') return outcome.kind === 'failed' ? 1 : 0;
      await outcome.closed;
      return 0;
    } finally {
      await close();
    }
  } catch (error) {
    logger.warn('sign-in process failed', { error: describeError(error) });
    return 1;
  }
}

async function readAll(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) throw new UsageError('the request for the sign-in process is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
