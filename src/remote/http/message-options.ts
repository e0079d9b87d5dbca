import type { StopSignal } from '../../platform/stop.ts';
import type { AccessToken } from '../../protocol/access-token.ts';

export interface MessageOptions {
  readonly session: SessionHeaders;
  readonly bearer: AccessToken | undefined;
  /** Ends the exchange. Of the message that opens a session it is the signal of that session. */
  readonly signal: StopSignal;
  /** Header names in lower case; what a modern request mirrors (specification 2026-07-28, Streamable HTTP → Request Metadata). */
  readonly headers?: Readonly<Record<string, string>>;
  readonly onSent?: () => void;
  /** Time until the answer's headers, where nothing slow is behind them; otherwise it is waited for as long as the connection lives. */
  readonly headersTimeoutMs?: number;
  /** Awaited before an answer's body is read: a host that does not read slows the server down. */
  readonly beforeBody?: () => Promise<void> | undefined;
}

/** What identifies a session in each message after `initialize` (specification 2025-11-25, Transports → Session Management). */
export interface SessionHeaders {
  readonly sessionId?: string;
  readonly protocolVersion?: string;
}
