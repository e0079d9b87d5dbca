import type { Authorization, Bearer } from '../../auth/authorization.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { HostWriter } from '../../host/writer.ts';
import type { Clock } from '../../platform/clock.ts';
import type { StopSignal } from '../../platform/stop.ts';
import type { MessageId } from '../../protocol/message-id.ts';
import { backoffMs } from '../../remote/http/backoff.ts';
import type { SessionHeaders } from '../../remote/http/message-options.ts';
import { meaningOf, type Refusal } from '../../remote/http/refusal.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import type { Reply, Transport } from '../../remote/transport/transport.ts';
import type { Connection } from '../session/session.ts';
import type { SignIns } from '../stand-in/pending-sign-in.ts';
import { explain } from '../stand-in/unavailability.ts';
import { OVER, type Patience } from '../timing/wait-budget.ts';
import { type NextStep, nextStep, noTries, type Tries, type Trouble } from './retry-decision.ts';

/** What a message is sent with. */
export interface Parcel {
  readonly body: Uint8Array | string;
  /** Of a request. */
  readonly id?: MessageId;
  readonly signal: StopSignal;
  readonly patience: Patience;
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
export type Delivery =
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

export interface CourierOptions {
  readonly http: Transport;
  readonly authorization: Authorization;
  readonly connection: Connection;
  readonly signIns: SignIns;
  readonly writer: HostWriter;
  readonly clock: Clock;
  readonly fraction: () => number;
  /** Called before each attempt. */
  readonly beforeSending: () => void;
}

/** Brings one message to the server, with every repetition that is safe and none that is not. */
export class Courier {
  readonly #options: CourierOptions;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Rejects only with the signal's reason, or when the program itself is wrong. */
  async deliver(parcel: Parcel): Promise<Delivery> {
    const { connection } = this.#options;
    let tries = noTries;
    let absences = 0;
    try {
      for (;;) {
        const opened = connection.usable(parcel.patience);
        if (opened !== undefined && (await opened) === OVER) return { kind: 'over' };
        const { session } = connection;
        const attempt = await this.#attempt(parcel, session);
        if (attempt.kind !== 'trouble') return attempt;
        const step = nextStep(attempt.trouble, tries);
        tries = counted(tries, step);
        if (step.kind === 'await-server') absences++;
        if (step.kind !== 'fail') parcel.onReturned?.();
        const ended = await this.#follow(step, attempt.bearer, session, parcel, absences);
        if (ended !== undefined) return ended;
      }
    } catch (error) {
      if (parcel.signal.aborted) throw parcel.signal.reason;
      if (!(error instanceof DrawbridgeError)) throw error;
      return { kind: 'failed', why: explain({ kind: 'failed', error }), mayHaveRun: false };
    }
  }

  async #attempt(
    parcel: Parcel,
    session: SessionHeaders,
  ): Promise<
    Delivery | { readonly kind: 'trouble'; readonly trouble: Trouble; readonly bearer: Bearer | undefined }
  > {
    const { http, authorization, writer, clock } = this.#options;
    const { signal, onSent } = parcel;
    this.#options.beforeSending();
    const current = authorization.current(signal);
    const bearer = current instanceof Promise ? await current : current;
    parcel.onLeaving?.();
    const post = (within: StopSignal) =>
      http.post(parcel.body, {
        session,
        bearer,
        signal: within,
        beforeBody: () => writer.untilReady(),
        ...(onSent === undefined ? {} : { onSent }),
      });
    try {
      const { limitMs: ms } = parcel;
      const limit = { clock, signal, what: 'the acceptance of the message' };
      const reply = await (ms === undefined ? post(signal) : withinTimeLimit({ ...limit, ms }, post));
      if (bearer !== undefined && !(reply.kind === 'refused' && reply.refusal.status === 401)) {
        authorization.worked?.(bearer);
      }
      if (reply.kind !== 'refused') return { kind: 'replied', reply, session };
      const trouble = this.#judge(reply.refusal, session, parcel.id);
      if (trouble.kind !== 'answer') return { kind: 'trouble', trouble, bearer };
      if (trouble.sessionIsGone) this.#options.connection.lost(session, { quietly: true });
      return trouble;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof DrawbridgeError)) throw error;
      return { kind: 'trouble', trouble: { kind: 'broken', error }, bearer };
    }
  }

  #judge(refusal: Refusal, session: SessionHeaders, id: MessageId | undefined) {
    const hadSession = session.sessionId !== undefined;
    return meaningOf(refusal, { hadSession, id, now: this.#options.clock.now() });
  }

  /** Does what the step says; undefined: send again. */
  async #follow(
    step: NextStep,
    bearer: Bearer | undefined,
    session: SessionHeaders,
    { patience, signal }: Parcel,
    absences: number,
  ): Promise<Delivery | undefined> {
    const { authorization, connection, signIns, fraction } = this.#options;
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
        signIns.watch(recovery.signIn);
        return (await patience.wait(recovery.signIn.done)) === OVER ? { kind: 'over' } : undefined;
      }
      case 'reopen':
        connection.lost(session, { quietly: false });
        return undefined;
      case 'delay':
        await this.#options.clock.sleep(step.ms, signal);
        return undefined;
      case 'await-server':
        if ((await patience.pause(backoffMs(absences, fraction()))) !== OVER) return undefined;
        return { kind: 'failed', why: explain({ kind: 'away', error: step.error }), mayHaveRun: false };
    }
  }
}

function counted(tries: Tries, step: NextStep): Tries {
  switch (step.kind) {
    case 'recover':
      return { ...tries, recoveries: tries.recoveries + 1 };
    case 'step-up':
      return { ...tries, stepUps: tries.stepUps + 1 };
    case 'reopen':
      return { ...tries, reopenings: tries.reopenings + 1 };
    case 'delay':
      return { ...tries, delays: tries.delays + 1 };
    default:
      return tries;
  }
}
