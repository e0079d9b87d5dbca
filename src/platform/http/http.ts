import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';
import type { StopSignal } from '../stop.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
  readonly signal?: StopSignal;
  /** Time until the response's headers; undefined waits as long as the connection lives. */
  readonly headersTimeoutMs?: number | undefined;
  /** Called once when the last byte of the request was handed to the connection. */
  readonly onSent?: (() => void) | undefined;
}

/** Header names are lower case; repeated headers are joined by `, `, which `set-cookie` does not survive: it stands apart. */
export type HttpHeaders = Readonly<Record<string, string>>;

export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** Each `Set-Cookie` by itself (RFC 6265 §3), where there is any. */
  readonly setCookie?: readonly string[];
  /** Reading is what asks for more: who does not read slows the server down. Throws HttpError when it breaks off. */
  readonly body: HttpBody;
  /** Gives up the rest of the body and the connection it came on. */
  discard(): void;
}

export interface HttpBody extends AsyncIterable<Uint8Array> {
  /** The chunks of a body that is there to its end, instead of reading them one by one; undefined: it is not. */
  whole(): readonly Uint8Array[] | undefined;
}

/** HTTP as the features see it: one pool, no redirect is ever followed, no cookie kept, proxies and extra CAs honoured. */
export interface Http {
  /** Rejects with HttpError or with the signal's reason. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Drops the connections that nothing goes over now; those in use go when they are done. */
  dropIdle(): void;
  /** Drops every connection, at once. */
  close(): Promise<void>;
}

/** Why an exchange failed below HTTP. */
export type HttpErrorCode = 'network' | 'tls' | 'timeout' | 'refused_address';

/**
 * An HTTP exchange that gave no (whole) answer. `sent` is false only when not one byte of the request can have reached the
 * server: then, and only then, sending it again is safe.
 */
export class HttpError extends DrawbridgeError {
  readonly code: HttpErrorCode;
  readonly sent: boolean;
  /** The system's own code, such as ECONNREFUSED or CERT_HAS_EXPIRED, where there is one. */
  readonly system: string | undefined;

  constructor(
    code: HttpErrorCode,
    message: string,
    details: ErrorDetails & { readonly sent: boolean; readonly system?: string | undefined },
  ) {
    super(message, details);
    this.code = code;
    this.sent = details.sent;
    this.system = details.system;
  }
}
