import type { Authorization, Bearer } from '../../auth/authorization.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { HostWriter } from '../../host/writer.ts';
import type { Clock } from '../../platform/clock.ts';
import type { StopSignal } from '../../platform/stop.ts';
import type { MessageId } from '../../protocol/message-id.ts';
import { backoffMs } from '../../remote/http/backoff.ts';
import type { SessionHeaders } from '../../remote/http/message-options.ts';
import { classifyRejection, type Refusal } from '../../remote/http/refusal.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import type { Reply, Transport } from '../../remote/transport/transport.ts';
import type { Session } from '../session/session.ts';
import type { PendingSignIn } from '../stand-in/pending-sign-in.ts';
import { describeUnavailability } from '../stand-in/unavailability.ts';
import { TIMED_OUT, type WaitBudget } from '../timing/wait-budget.ts';
import {
  type AttemptCounts,
  type NextStep,
  nextStep,
  noAttempts,
  type SendFailure,
} from './retry-decision.ts';

/** What a message is sent with. */
export interface OutgoingMessage {
  readonly body: Uint8Array | string;
  /** Of a request. */
  readonly id?: MessageId;
  readonly signal: StopSignal;
  readonly waitBudget: WaitBudget;
  /** How long the server may take over each attempt; without it a server that thinks is waited for. */
  readonly limitMs?: number;
  /** Called before the first byte goes out: from here on the message may run. */
  readonly onLeaving?: () => void;
  /** Called when the last byte went out. */
  readonly onSent?: () => void;
  /** Called when it came back without having run, to be sent again. */
  readonly onReturned?: () => void;
}

/** How the sending of one message ended. */
export type SendResult =
  | {
      readonly kind: 'replied';
      readonly reply: Exclude<Reply, { kind: 'refused' }>;
      readonly session: SessionHeaders;
    }
  /** The server's own answer under a status that refuses, as it came. */
  | { readonly kind: 'answer'; readonly json: Uint8Array }
  /** It was not sent, and the time to wait is over. */
  | { readonly kind: 'over' }
  | { readonly kind: 'failed'; readonly why: string; readonly mayHaveRun: boolean };

export interface MessageSenderOptions {
  readonly http: Transport;
  readonly authorization: Authorization;
  readonly connection: Session;
  readonly pendingSignIn: PendingSignIn;
  readonly writer: HostWriter;
  readonly clock: Clock;
  readonly fraction: () => number;
  /** Called before each attempt. */
  readonly beforeSending: () => void;
}

/** Brings one message to the server, with every repetition that is safe and none that is not. */
export class MessageSender {
  readonly #options: MessageSenderOptions;

  constructor(options: MessageSenderOptions) {
    this.#options = options;
  }

  /** Rejects only with the signal's reason, or when the program itself is wrong. */
  async send(outgoing: OutgoingMessage): Promise<SendResult> {
    const { connection } = this.#options;
    let attempts = noAttempts;
    let absences = 0;
    try {
      for (;;) {
        const opened = connection.usable(outgoing.waitBudget);
        if (opened !== undefined && (await opened) === TIMED_OUT) return { kind: 'over' };
        const { headers } = connection;
        const attempt = await this.#attempt(outgoing, headers);
        if (attempt.kind !== 'trouble') return attempt;
        const step = nextStep(attempt.failure, attempts);
        attempts = counted(attempts, step);
        if (step.kind === 'await-server') absences++;
        if (step.kind !== 'fail') outgoing.onReturned?.();
        const ended = await this.#follow(step, attempt.bearer, headers, outgoing, absences);
        if (ended !== undefined) return ended;
      }
    } catch (error) {
      if (outgoing.signal.aborted) throw outgoing.signal.reason;
      if (!(error instanceof DrawbridgeError)) throw error;
      return { kind: 'failed', why: describeUnavailability({ kind: 'failed', error }), mayHaveRun: false };
    }
  }

  async #attempt(
    outgoing: OutgoingMessage,
    session: SessionHeaders,
  ): Promise<
    | SendResult
    | { readonly kind: 'trouble'; readonly failure: SendFailure; readonly bearer: Bearer | undefined }
  > {
    const { http, authorization, writer, clock } = this.#options;
    const { signal, onSent } = outgoing;
    this.#options.beforeSending();
    const current = authorization.current(signal);
    const bearer = current instanceof Promise ? await current : current;
    outgoing.onLeaving?.();
    const post = (within: StopSignal) =>
      http.post(outgoing.body, {
        session,
        bearer,
        signal: within,
        beforeBody: () => writer.untilReady(),
        ...(onSent === undefined ? {} : { onSent }),
      });
    try {
      const { limitMs: ms } = outgoing;
      const limit = { clock, signal, what: 'the acceptance of the message' };
      const reply = await (ms === undefined ? post(signal) : withinTimeLimit({ ...limit, ms }, post));
      if (bearer !== undefined && !(reply.kind === 'refused' && reply.refusal.status === 401)) {
        authorization.worked?.(bearer);
      }
      if (reply.kind !== 'refused') return { kind: 'replied', reply, session };
      const failure = this.#judge(reply.refusal, session, outgoing.id);
      if (failure.kind !== 'answer') return { kind: 'trouble', failure, bearer };
      if (failure.sessionIsGone) this.#options.connection.lost(session, { quietly: true });
      return failure;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof DrawbridgeError)) throw error;
      return { kind: 'trouble', failure: { kind: 'broken', error }, bearer };
    }
  }

  #judge(refusal: Refusal, session: SessionHeaders, id: MessageId | undefined) {
    const hadSession = session.sessionId !== undefined;
    return classifyRejection(refusal, { hadSession, id, now: this.#options.clock.now() });
  }

  /** Does what the step says; undefined: send again. */
  async #follow(
    step: NextStep,
    bearer: Bearer | undefined,
    session: SessionHeaders,
    { waitBudget, signal }: OutgoingMessage,
    absences: number,
  ): Promise<SendResult | undefined> {
    const { authorization, connection, pendingSignIn, fraction } = this.#options;
    switch (step.kind) {
      case 'fail': {
        const hint = step.error?.hint;
        return {
          kind: 'failed',
          why: hint === undefined ? `${step.why}.` : `${step.why}. ${hint}`,
          mayHaveRun: step.mayHaveRun,
        };
      }
      case 'recover':
      case 'step-up': {
        const recovery = await authorization.recover(bearer, step.wwwAuthenticate, signal);
        if (recovery.kind === 'retry') return undefined;
        pendingSignIn.watch(recovery.signIn);
        return (await waitBudget.wait(recovery.signIn.done)) === TIMED_OUT ? { kind: 'over' } : undefined;
      }
      case 'reopen':
        connection.lost(session, { quietly: false });
        return undefined;
      case 'delay':
        await this.#options.clock.sleep(step.ms, signal);
        return undefined;
      case 'await-server':
        if ((await waitBudget.pause(backoffMs(absences, fraction()))) !== TIMED_OUT) return undefined;
        return {
          kind: 'failed',
          why: describeUnavailability({ kind: 'away', error: step.error }),
          mayHaveRun: false,
        };
    }
  }
}

function counted(attempts: AttemptCounts, step: NextStep): AttemptCounts {
  switch (step.kind) {
    case 'recover':
      return { ...attempts, recoveries: attempts.recoveries + 1 };
    case 'step-up':
      return { ...attempts, stepUps: attempts.stepUps + 1 };
    case 'reopen':
      return { ...attempts, reopenings: attempts.reopenings + 1 };
    case 'delay':
      return { ...attempts, delays: attempts.delays + 1 };
    default:
      return attempts;
  }
}
