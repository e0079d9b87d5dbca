import type { ServerEvent } from '../events/event-stream.ts';
import type { MessageOptions } from '../http/message-options.ts';
import type { Refusal } from '../http/refusal.ts';

/** What came back for one POST or GET. */
export type Reply =
  | { readonly kind: 'accepted'; readonly sessionId: string | undefined }
  | { readonly kind: 'message'; readonly json: Uint8Array; readonly sessionId: string | undefined }
  | {
      readonly kind: 'events';
      readonly events: AsyncIterable<readonly ServerEvent[]>;
      readonly sessionId: string | undefined;
      /** The server's latest wish for the pause before reconnecting, in milliseconds. */
      readonly retryMs: () => number | undefined;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface RefreshOptions {
  /** There is no more than a doubt: what is waited for over a connection goes on. */
  readonly keepsInUse?: boolean;
}

/** One server, by whatever transport it speaks: a message to it and what it answers. */
export interface Transport {
  /** Sends one message. Rejects with HttpError, TooLargeError, BadAnswerError or the signal's reason. */
  post(body: Uint8Array | string, options: MessageOptions): Promise<Reply>;
  /** Opens the server's own stream, or resumes one after `lastEventId`. Rejects as `post`. */
  listen(options: MessageOptions & { readonly lastEventId?: string }): Promise<Reply>;
  /** Ends the session; the status with which the server took it changes nothing (it may answer 405). */
  end(options: MessageOptions): Promise<number>;
  /** The machine slept, or a peer fell silent: what was connected before is not trusted with another message. */
  dropIdleConnections(options?: RefreshOptions): void;
}
