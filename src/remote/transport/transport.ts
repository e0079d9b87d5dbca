import type { DrawbridgeError } from '../../errors.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import type { ServerEvent } from '../events/event-stream.ts';
import type { MessageOptions, RecoveryCounts } from '../http/message-options.ts';
import type { Refusal } from '../http/refusal.ts';

/** What came back for one POST or GET. */
export type Reply =
  | {
      readonly kind: 'accepted';
      readonly sessionId: string | undefined;
      /** The server said so (202, 204): the response to a request may still come over the session's stream. */
      readonly promisesResponse: boolean;
    }
  | { readonly kind: 'message'; readonly json: Uint8Array; readonly sessionId: string | undefined }
  | {
      readonly kind: 'events';
      readonly events: AsyncIterable<readonly ServerEvent[]>;
      readonly sessionId: string | undefined;
      /** The server's latest wish for the pause before reconnecting, in milliseconds. */
      readonly retryMs: () => number | undefined;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The server wants a token that only a person can get. The message was not run; it may be sent again when `signIn` is done. */
  | { readonly kind: 'sign-in'; readonly signIn: PendingSignInStatus; readonly recovered: RecoveryCounts }
  /** No token could be obtained for the message. It was not run. */
  | { readonly kind: 'no-token'; readonly error: DrawbridgeError };

/** A reply that is not the server's answer: the message was refused, or could not be authorized. */
export type Rejection = Extract<Reply, { kind: 'refused' | 'sign-in' | 'no-token' }>;

/** A reply that is the server's answer, or the beginning of one. */
export type ServerReply = Exclude<Reply, Rejection>;

/** The beginning of a stream of messages. */
export type Events = Extract<Reply, { kind: 'events' }>;

export function isRejection(reply: Reply): reply is Rejection {
  return reply.kind === 'refused' || reply.kind === 'sign-in' || reply.kind === 'no-token';
}

export interface DropConnectionsOptions {
  /** Only a suspicion: connections over which an answer is awaited are kept. */
  readonly keepsInUse?: boolean;
}

/** The HTTP status of a rejection; of one without an answer of the server, that of an unauthorized message. */
export function statusOf(rejection: Rejection): number {
  return rejection.kind === 'refused' ? rejection.refusal.status : 401;
}

/** For the server's own stream, and for a broken one that is taken up again. */
export interface ListenOptions extends MessageOptions {
  /** The stream goes on after this event (specification 2025-11-25, Transports → Resumability and Redelivery). */
  readonly lastEventId?: string | undefined;
}

/** One server, by whatever transport it speaks: a message to it and what it answers. */
export interface Transport {
  /** Sends one message. Rejects with HttpError (also when an attempt takes longer than its limit), TooLargeError, BadAnswerError or the signal's reason. */
  post(body: Uint8Array | string, options: MessageOptions): Promise<Reply>;
  /** Opens the server's own stream, or resumes one after `lastEventId`. Rejects as `post`. */
  listen(options: ListenOptions): Promise<Reply>;
  /** Ends the session; the status with which the server took it changes nothing (it may answer 405). */
  end(options: MessageOptions): Promise<number>;
  /** The machine slept, or a peer fell silent: what was connected before is not trusted with another message. */
  dropIdleConnections(options?: DropConnectionsOptions): void;
}
