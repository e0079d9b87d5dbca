import type { StopSignal } from '../../platform/stop.ts';
import type { AccessToken } from '../../protocol/access-token.ts';

export interface MessageOptions {
  readonly session: SessionHeaders;
  /** Ends the exchange. Of the message that opens a session it is the signal of that session. */
  readonly signal: StopSignal;
  /** Header names in lower case; what a modern request mirrors (specification 2026-07-28, Streamable HTTP → Request Metadata). */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly progress?: SendProgress | undefined;
  /** Time until the answer's headers, where nothing slow is behind them; otherwise it is waited for as long as the connection lives. */
  readonly headersTimeoutMs?: number | undefined;
  /** How long the server may take over each attempt. The time in which a token is obtained is not part of it. */
  readonly limit?: AttemptLimit | undefined;
  /** Awaited before an answer's body is read: a host that does not read slows the server down. */
  readonly beforeBody?: (() => Promise<void> | undefined) | undefined;
  /** False for messages sent by a timer: a 401 is then returned as it is, since a sign-in only starts for a request of the host. */
  readonly mayRecover?: boolean | undefined;
  /** The message of a reply with the kind `sign-in` when the same message was sent before. */
  readonly recovered?: RecoveryCounts | undefined;
  /** Added by the transport that authorizes messages; callers of that transport leave it out. */
  readonly bearer?: AccessToken | undefined;
}

export interface AttemptLimit {
  readonly ms: number;
  /** For the log and the person: what did not arrive. */
  readonly what: string;
}

/** How often another token was requested, for one message. */
export interface RecoveryCounts {
  /** After a 401. */
  readonly recoveries: number;
  /** After a 403 for insufficient scope. */
  readonly stepUps: number;
}

/** Observes the progress of one message. */
export interface SendProgress {
  /** Called before the first byte goes out: from here on the message may run. */
  sending(): void;
  /** Called when the last byte was sent. */
  sent(): void;
  /** Called when the server refused the message without running it, and the message will be sent again. */
  returned(): void;
}

/** What identifies a session in each message after `initialize` (specification 2025-11-25, Transports → Session Management). */
export interface SessionHeaders {
  readonly sessionId?: string;
  readonly protocolVersion?: string;
}
