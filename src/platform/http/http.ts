import type { Readable } from 'node:stream';
import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';
import type { StopSignal } from '../stop.ts';

/** One HTTP request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | Readable | undefined;
  readonly signal?: StopSignal;
  /** The time limit for the response's headers; undefined waits as long as the connection lives. */
  readonly headersTimeoutMs?: number | undefined;
  /** Asked once there is a connection, right before the first byte goes out. False: nothing is sent, and the request fails. */
  readonly mayStart?: (() => boolean) | undefined;
  /**
   * A request that is given up before its response must not arrive later: its connection is reset. Without this the system goes on to deliver it, as is right for
   * the end of a session or a cancellation, and a reset would take it from a server that has not read it yet.
   */
  readonly neverLate?: boolean | undefined;
  /** `sent` is called once, when the last byte of the request has been handed to the connection. */
  readonly progress?: { sent(): void } | undefined;
}

/** Headers by lower-case name. Repeated headers are joined by `, `, except `set-cookie`, which cannot be joined and is not in here. */
export type HttpHeaders = Readonly<Record<string, string>>;

/** The headers of a response, and its body to be read. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** The values of the `Set-Cookie` headers (RFC 6265 §3), if there are any. */
  readonly setCookie?: readonly string[];
  /** Data is received only as it is read: a reader that pauses slows the server down. Throws HttpError if the body breaks off. */
  readonly body: HttpBody;
  /** Gives up the rest of the body and closes its connection. */
  discard(): void;
}

/** A response's body, which can be read once. */
export interface HttpBody extends AsyncIterable<Uint8Array> {
  /** All chunks at once if the body has been received completely, as an alternative to iterating; otherwise undefined. */
  whole(): readonly Uint8Array[] | undefined;
}

/** HTTP for the rest of the program: one pool, which honours proxies and extra CAs, follows no redirect and keeps no cookie. */
export interface Http {
  /** Rejects with HttpError or with the signal's reason. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Closes the idle connections at once, and each connection in use when its exchange is done. */
  dropIdle(): void;
  /** Closes every connection at once. */
  close(): Promise<void>;
}

/** Why an exchange failed below HTTP. */
export type HttpErrorCode = 'network' | 'tls' | 'timeout' | 'refused_address';

/**
 * An HTTP exchange that ended without a (complete) response. `sent` is false only if no byte of the request can have reached the
 * server; only then is it safe to send the request again.
 */
export class HttpError extends DrawbridgeError {
  readonly code: HttpErrorCode;
  readonly sent: boolean;
  /** The code of the underlying error, such as ECONNREFUSED or CERT_HAS_EXPIRED, if there is one. */
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
