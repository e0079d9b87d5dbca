import { Readable } from 'node:stream';
import { decodedBody } from '../../platform/content/content.ts';
import type { Http, HttpResponse } from '../../platform/http/http.ts';
import { BadAnswerError, contentErrors } from '../../remote/http/errors.ts';
import { startOfBody } from '../../remote/http/refusal-body.ts';
import type { Fetch } from '../interface/web-types.ts';
import type { OutgoingBody } from './request.ts';

/** One exchange, with the headers as they go out. */
export interface Exchange {
  readonly url: URL;
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: OutgoingBody | undefined;
  readonly signal: AbortSignal;
  readonly init: RequestInit;
}

/** A response for the rest of the program, and for the caller of `fetch`. */
export interface Answer extends HttpResponse {
  toResponse(): Promise<Response>;
}

/** Sends one request and follows no redirect. Rejects with HttpError, with the signal's reason, or as the caller's `fetch` does. */
export type Send = (exchange: Exchange) => Promise<Answer>;

/** Sends with the program's HTTP client. */
export function ownSend(http: Http): Send {
  return async ({ url, method, headers, body, signal }) => {
    const response = await http.request({
      method,
      url,
      headers,
      signal,
      body: body?.kind === 'stream' ? Readable.from(body.stream, { objectMode: false }) : body?.bytes,
    });
    return { ...response, toResponse: () => toResponse(response, method) };
  };
}

/** Sends with the caller's own `fetch`. */
export function callersSend(fetch: Fetch): Send {
  return async ({ url, method, headers, body, signal, init }) => {
    const content =
      body?.kind === 'stream'
        ? { body: ReadableStream.from(body.stream), duplex: 'half' }
        : { body: body?.bytes ?? null };
    const wanted = { ...init, method, headers, signal, redirect: 'manual', ...content };
    const response = await fetch(url.href, wanted as RequestInit);
    const { 'content-encoding': _, ...plain } = Object.fromEntries(response.headers);
    const cancel = () => void response.body?.cancel().catch(() => 'it was over');
    const chunks: AsyncIterable<Uint8Array> = response.body ?? Readable.from([]);
    return {
      status: response.status,
      headers: plain,
      body: { whole: () => undefined, [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator]() },
      discard: cancel,
      toResponse: async () => response,
    };
  };
}

/** Statuses without a body (Fetch standard, "null body status"). */
const WITHOUT_BODY = new Set([204, 205, 304]);

async function toResponse(response: HttpResponse, method: string): Promise<Response> {
  const { status, headers, setCookie = [] } = response;
  if (status < 200 || status > 599) {
    response.discard();
    throw new BadAnswerError(
      `the server answers with the status ${status}, which is none that a Response can have`,
    );
  }
  const init = { status, headers: new Headers({ ...headers }) };
  for (const cookie of setCookie) init.headers.append('set-cookie', cookie);
  if (method === 'HEAD' || WITHOUT_BODY.has(status)) {
    void startOfBody(response);
    return new Response(null, init);
  }
  const body = await decodedBody(response, contentErrors);
  if (body !== response.body) {
    init.headers.delete('content-encoding');
    init.headers.delete('content-length');
  }
  const whole = body.whole?.();
  return new Response(whole === undefined ? ReadableStream.from(body) : Buffer.concat(whole), init);
}
