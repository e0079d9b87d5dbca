import { DrawbridgeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { StopSignal } from '../../platform/stop.ts';
import type { MessageId } from '../../protocol/message-id.ts';
import { backoffMs } from '../../remote/http/backoff.ts';
import type {
  AttemptLimit,
  RecoveryCounts,
  SendProgress,
  SessionHeaders,
} from '../../remote/http/message-options.ts';
import { classifyRejection } from '../../remote/http/refusal.ts';
import type { Reply, ServerReply, Transport } from '../../remote/transport/transport.ts';
import type { Session } from '../session/session.ts';
import type { PendingSignIn } from '../stand-in/pending-sign-in.ts';
import { describeUnavailability } from '../stand-in/unavailability.ts';
import { TIMED_OUT, type WaitBudget } from '../timing/wait-budget.ts';
import type { WakeDetector } from '../timing/wake-detector.ts';
import { counted, nextStep, noAttempts, type SendFailure } from './retry-decision.ts';

export interface OutgoingMessage {
  readonly bytes: Uint8Array | string;
  /** Of a request; a notification has none. */
  readonly id?: MessageId;
  /** Aborts all work for the message. */
  readonly signal: StopSignal;
  /** How long the message may wait for a server that is not ready. */
  readonly waitBudget: WaitBudget;
  /** How long the server may take for each attempt; without it there is no limit. */
  readonly limit?: AttemptLimit | undefined;
  readonly progress?: SendProgress | undefined;
  /** Asked after a wait, when the server can be asked: the answer, where the request turns out to need none of the server's. */
  readonly instead?: (() => string | undefined) | undefined;
}

/** How the sending of one message ended. */
export type SendResult =
  | { readonly kind: 'replied'; readonly reply: ServerReply; readonly session: SessionHeaders }
  /** The server's own answer under a status that refuses, as it came, or `instead`. */
  | { readonly kind: 'answer'; readonly json: Uint8Array | string }
  /** The message was not sent, and the time to wait is over. */
  | { readonly kind: 'timed-out' }
  | {
      readonly kind: 'failed';
      readonly why: string;
      readonly error: DrawbridgeError | undefined;
      readonly mayHaveRun: boolean;
    };

export interface SendDeps {
  readonly transport: Transport;
  readonly session: Session;
  readonly pendingSignIn: PendingSignIn;
  readonly clock: Clock;
  /** A number in [0, 1), for jitter. */
  readonly fraction: () => number;
  /** Looks at the clock before each attempt. */
  readonly wakeDetector: Pick<WakeDetector, 'look'>;
  /** Awaited before an answer's body is read. */
  readonly beforeBody: () => Promise<void> | undefined;
}

/**
 * Sends one message when the session is ready, and again when that is safe: `nextStep` decides. Rejects only with the signal's reason, or on a bug in the
 * program.
 */
export async function sendMessage(message: OutgoingMessage, deps: SendDeps): Promise<SendResult> {
  const { transport, session, pendingSignIn, clock, fraction, wakeDetector, beforeBody } = deps;
  const { bytes, id, signal, waitBudget, limit, progress } = message;
  let attempts = noAttempts;
  let recovered: RecoveryCounts | undefined;
  try {
    for (;;) {
      const opened = session.usable(waitBudget);
      if (opened !== undefined) {
        if ((await opened) === TIMED_OUT) return { kind: 'timed-out' };
        const json = message.instead?.();
        if (json !== undefined) return { kind: 'answer', json };
      }
      const { headers } = session;
      wakeDetector.look();
      let outcome: Reply | SendError;
      try {
        const options = { session: headers, signal, beforeBody, limit, progress, recovered };
        outcome = await transport.post(bytes, options);
      } catch (error) {
        outcome = sendError(error, signal);
      }

      if (outcome.kind === 'sign-in') {
        recovered = outcome.recovered;
        pendingSignIn.watch(outcome.signIn);
        if ((await waitBudget.wait(outcome.signIn.done)) === TIMED_OUT) return { kind: 'timed-out' };
        continue;
      }
      if (outcome.kind === 'no-token') return unavailable(outcome.error);
      if (outcome.kind !== 'refused' && outcome.kind !== 'send-error') {
        return { kind: 'replied', reply: outcome, session: headers };
      }

      const failure =
        outcome.kind === 'send-error'
          ? outcome
          : classifyRejection(outcome.refusal, {
              hadSession: headers.sessionId !== undefined,
              id,
              now: clock.now(),
            });
      if ('sessionIsGone' in failure && failure.sessionIsGone) {
        session.lost(headers, { quietly: failure.kind === 'answer' });
      }
      if (failure.kind === 'answer') return failure;

      const step = nextStep(failure, attempts);
      attempts = counted(attempts, step);
      switch (step.kind) {
        case 'fail': {
          const hint = step.error?.hint;
          const why = hint === undefined ? `${step.why}.` : `${step.why}. ${hint}`;
          return { kind: 'failed', why, error: step.error, mayHaveRun: step.mayHaveRun };
        }
        case 'reopen':
          progress?.returned();
          session.lost(headers, { quietly: false });
          break;
        case 'delay':
          progress?.returned();
          await clock.sleep(step.ms, signal);
          break;
        case 'await-server':
          progress?.returned();
          if ((await waitBudget.pause(backoffMs(attempts.absences, fraction()))) === TIMED_OUT) {
            const why = describeUnavailability({ kind: 'unreachable', error: step.error });
            return { kind: 'failed', why, error: step.error, mayHaveRun: false };
          }
          break;
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // The session could not be opened, or the sign-in failed.
    if (error instanceof DrawbridgeError) return unavailable(error);
    throw error;
  }
}

type SendError = Extract<SendFailure, { kind: 'send-error' }>;

/** The transport's rejection is the outcome of the attempt; only errors that are not about the message are thrown. */
function sendError(error: unknown, signal: StopSignal): SendError {
  if (signal.aborted) throw signal.reason;
  if (error instanceof DrawbridgeError) return { kind: 'send-error', error };
  throw error;
}

function unavailable(error: DrawbridgeError): SendResult {
  return { kind: 'failed', why: describeUnavailability({ kind: 'failed', error }), error, mayHaveRun: false };
}
