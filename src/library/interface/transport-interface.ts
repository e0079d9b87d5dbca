import type { Address, Fetch } from './web-types.ts';

/** The constructor of a transport of the MCP SDK (1.x or 2.x): `StreamableHTTPClientTransport`, `SSEClientTransport`. */
export type TransportClass<T> = new (url: Address, options: { fetch: Fetch }) => T;

/** The SDK classes that the program uses; the package itself has none. */
export interface TransportSdk<T> {
  readonly StreamableHTTPClientTransport: TransportClass<T>;
  /** Without it there is no fallback to HTTP+SSE. */
  readonly SSEClientTransport?: TransportClass<object> | undefined;
}

/** The part of a transport that a client of the SDK uses. */
export type TransportMember =
  | 'start'
  | 'send'
  | 'close'
  | 'onclose'
  | 'onerror'
  | 'onmessage'
  | 'sessionId'
  | 'setProtocolVersion'
  | 'setSupportedProtocolVersions'
  | 'hasPerRequestStream';

/** A transport for the SDK's `Client`. `close()` closes its login too. */
export type AuthorizedTransport<T> = Pick<T, keyof T & TransportMember>;
