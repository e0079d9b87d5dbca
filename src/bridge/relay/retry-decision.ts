import type { DrawbridgeError } from '../../errors.ts';
import { HttpError } from '../../platform/http/http.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { RejectionKind } from '../../remote/http/refusal.ts';
import { MAX_DELAYS, MAX_RECOVERIES, MAX_REOPENINGS, MAX_STEP_UPS } from '../timing/limits.ts';

/** What stood between a message and its answer. */
export type SendFailure =
  | Exclude<RejectionKind, { kind: 'answer' }>
  | { readonly kind: 'broken'; readonly error: DrawbridgeError };

/** What was already done for this message. */
export interface AttemptCounts {
  readonly recoveries: number;
  readonly stepUps: number;
  readonly reopenings: number;
  readonly delays: number;
}

export const noAttempts: AttemptCounts = { recoveries: 0, stepUps: 0, reopenings: 0, delays: 0 };

export type NextStep =
  /** Ask the authorization for another token, then send again. */
  | { readonly kind: 'recover'; readonly wwwAuthenticate: BearerChallenge | undefined }
  /** Ask for a token that may do more, then send again. */
  | { readonly kind: 'step-up'; readonly wwwAuthenticate: BearerChallenge }
  /** Open a new session, then send again. */
  | { readonly kind: 'reopen' }
  /** Send again after this pause. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Not one byte left: send again when the server is back. */
  | { readonly kind: 'await-server'; readonly error: DrawbridgeError }
  | {
      readonly kind: 'fail';
      readonly error: DrawbridgeError | undefined;
      readonly why: string;
      readonly mayHaveRun: boolean;
    };

/**
 * src/README.md, "Order and retry": a message is sent again only when it cannot have run: connection refused, name not resolved, 401, 404 for a lost
 * session, 429 and 503 with `Retry-After`. In every other case the host gets an error for that id.
 */
export function nextStep(failure: SendFailure, attempts: AttemptCounts): NextStep {
  switch (failure.kind) {
    case 'unauthorized':
      if (attempts.recoveries < MAX_RECOVERIES) {
        return { kind: 'recover', wwwAuthenticate: failure.wwwAuthenticate };
      }
      return refused('the server refused each token that it was shown (401)');

    case 'scope-needed':
      if (attempts.stepUps < MAX_STEP_UPS) {
        return { kind: 'step-up', wwwAuthenticate: failure.wwwAuthenticate };
      }
      return { kind: 'fail', error: failure.error, why: failure.error.message, mayHaveRun: false };

    case 'session-lost':
      if (attempts.reopenings < MAX_REOPENINGS) return { kind: 'reopen' };
      return refused('the server forgot the session again and again (404)');

    case 'later':
      if (attempts.delays < MAX_DELAYS) return { kind: 'delay', ms: failure.afterMs };
      return refused('the server asked again and again to come back later (Retry-After)');

    case 'away':
      return { kind: 'fail', error: failure.error, why: failure.error.message, mayHaveRun: true };

    case 'failed': {
      const { error, mayHaveRun } = failure;
      return { kind: 'fail', error, why: error.message, mayHaveRun };
    }

    case 'broken': {
      const { error } = failure;
      if (error instanceof HttpError && !error.sent) {
        // A certificate or an address that is refused now is refused in a second too: said at once, no storm (test/README.md, fault 10).
        if (error.code === 'network' || error.code === 'timeout') return { kind: 'await-server', error };
        return { kind: 'fail', error, why: error.message, mayHaveRun: false };
      }
      // A key that cannot sign: there was nothing to send.
      return { kind: 'fail', error, why: error.message, mayHaveRun: error.code !== 'dpop' };
    }
  }
}

function refused(why: string): NextStep {
  return { kind: 'fail', error: undefined, why, mayHaveRun: false };
}
