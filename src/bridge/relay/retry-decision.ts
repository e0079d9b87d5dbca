import type { DrawbridgeError } from '../../errors.ts';
import { HttpError } from '../../platform/http/http.ts';
import type { RejectionKind } from '../../remote/http/refusal.ts';
import { MAX_DELAYS, MAX_REOPENINGS } from '../timing/limits.ts';

/** Why a message got no answer. */
export type SendFailure =
  | Exclude<RejectionKind, { kind: 'answer' }>
  | { readonly kind: 'send-error'; readonly error: DrawbridgeError };

/** What was already done for this message. */
export interface AttemptCounts {
  readonly reopenings: number;
  readonly delays: number;
  /** Attempts that sent nothing, because the server was unreachable. */
  readonly absences: number;
}

export const noAttempts: AttemptCounts = { reopenings: 0, delays: 0, absences: 0 };

export type NextStep =
  /** Open a new session, then send again. */
  | { readonly kind: 'reopen' }
  /** Send again after this pause. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Nothing was sent: send again when the server is back. */
  | { readonly kind: 'await-server'; readonly error: DrawbridgeError }
  | {
      readonly kind: 'fail';
      readonly error: DrawbridgeError | undefined;
      readonly why: string;
      readonly mayHaveRun: boolean;
    };

/**
 * src/README.md, "Order and retry": a message is sent again only when it cannot have run: the connection was refused, the name was not resolved,
 * the session was lost (404), or the server asked for a later attempt (429 or 503 with `Retry-After`). In every other case the host gets an error
 * for that id. 401, and 403 for insufficient scope, are final here: the transport has already tried other tokens.
 */
export function nextStep(failure: SendFailure, attempts: AttemptCounts): NextStep {
  switch (failure.kind) {
    case 'unauthorized':
      return refused('the server refused every token (401)');

    case 'scope-needed':
      return { kind: 'fail', error: failure.error, why: failure.error.message, mayHaveRun: false };

    case 'session-lost':
      if (attempts.reopenings < MAX_REOPENINGS) return { kind: 'reopen' };
      return refused('the server lost the session again and again (404)');

    case 'retry-after':
      if (attempts.delays < MAX_DELAYS) return { kind: 'delay', ms: failure.afterMs };
      return refused('the server asked again and again for a later retry (Retry-After)');

    case 'unreachable':
      return { kind: 'fail', error: failure.error, why: failure.error.message, mayHaveRun: true };

    case 'failed': {
      const { error, mayHaveRun } = failure;
      return { kind: 'fail', error, why: error.message, mayHaveRun };
    }

    case 'send-error': {
      const { error } = failure;
      if (error instanceof HttpError && !error.sent) {
        // A certificate or an address that is refused now is refused in a second too: report it at once, without retries (test/README.md, fault 10).
        if (error.code === 'network' || error.code === 'timeout') return { kind: 'await-server', error };
        return { kind: 'fail', error, why: error.message, mayHaveRun: false };
      }
      // A key that cannot sign: nothing was sent.
      return { kind: 'fail', error, why: error.message, mayHaveRun: error.code !== 'dpop' };
    }
  }
}

function refused(why: string): NextStep {
  return { kind: 'fail', error: undefined, why, mayHaveRun: false };
}

/** The counts after this step. */
export function counted(attempts: AttemptCounts, step: NextStep): AttemptCounts {
  switch (step.kind) {
    case 'reopen':
      return { ...attempts, reopenings: attempts.reopenings + 1 };
    case 'delay':
      return { ...attempts, delays: attempts.delays + 1 };
    case 'await-server':
      return { ...attempts, absences: attempts.absences + 1 };
    case 'fail':
      return attempts;
  }
}
