import type { Http, HttpResponse } from '../../platform/http/http.ts';
import type { DpopProofs } from '../../protocol/access-token.ts';
import type { DpopExchange } from './dpop-exchange.ts';
import { MAX_REDIRECTS } from './limits.ts';
import type { MessageOptions } from './message-options.ts';

export interface McpOriginOptions {
  readonly http: Http;
  readonly url: URL;
  /** The user's own headers: for this origin alone (.github/SECURITY.md, attack 14). */
  readonly headers: readonly (readonly [string, string])[];
  readonly userAgent: string;
  readonly maxMessageBytes: number;
  /** Stores the origin's cookies; without it none are kept. */
  readonly cookies?: Cookies;
}

/** Cookies of the MCP origin, in memory only: what a load balancer needs to find the same server again. */
export interface Cookies {
  header(url: URL): string | undefined;
  take(url: URL, setCookie: readonly string[]): void;
}

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

type Method = 'GET' | 'POST' | 'DELETE';

/** One HTTP exchange with the MCP server's origin, with what every one of them carries. */
export class McpOrigin {
  readonly #options: McpOriginOptions;
  /** The user's own headers. */
  readonly #headers: Readonly<Record<string, string>>;
  #proven: Promise<DpopExchange> | undefined;

  constructor(options: McpOriginOptions) {
    this.#options = options;
    const headers: Record<string, string> = Object.create(null);
    for (const [name, value] of options.headers) {
      const key = name.toLowerCase();
      headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
    }
    this.#headers = headers;
  }

  /** Follows redirects within the origin; `url` is where the answer came from. */
  async exchange(
    method: 'GET' | 'POST',
    from: URL,
    options: MessageOptions,
    message: Message,
  ): Promise<{ readonly response: HttpResponse; readonly url: URL }> {
    let url = from;
    for (let redirects = 0; ; redirects++) {
      const response = await this.send(method, url, options, message);
      const moved = movedWithinOrigin(response, url);
      if (moved === undefined || redirects === MAX_REDIRECTS) return { response, url };
      response.discard();
      url = moved;
    }
  }

  send(method: Method, url: URL, options: MessageOptions, message: Message): Promise<HttpResponse> {
    const { bearer } = options;
    if (bearer?.dpopProofs !== undefined) {
      return this.#sendProven(method, url, options, message, bearer.token, bearer.dpopProofs());
    }
    const authorization = bearer === undefined ? undefined : { authorization: `Bearer ${bearer.token}` };
    return this.#send(method, url, options, message, authorization);
  }

  async #sendProven(
    method: Method,
    url: URL,
    options: MessageOptions,
    message: Message,
    token: string,
    dpopProofs: Promise<DpopProofs>,
  ): Promise<HttpResponse> {
    // Loaded where it is wanted: most servers take bearer tokens.
    this.#proven ??= import('./dpop-exchange.ts').then(({ DpopExchange }) => new DpopExchange());
    const send = (headers: Readonly<Record<string, string>>) =>
      this.#send(method, url, options, message, headers);
    return (await this.#proven).send(await dpopProofs, { method, url, token, send });
  }

  async #send(
    method: Method,
    url: URL,
    { session, signal, headers, progress, headersTimeoutMs }: MessageOptions,
    message: Message,
    authorization: Readonly<Record<string, string>> | undefined,
  ): Promise<HttpResponse> {
    const { http, cookies, userAgent } = this.#options;
    const sent: Record<string, string> = { ...this.#headers, ...headers, ...message.headers };
    // Not among the user's headers: to spread an object without a prototype that has members takes a microsecond more, for every message.
    sent['user-agent'] ??= userAgent;
    const cookie = cookies === undefined ? undefined : this.#cookieHeader(cookies, url);
    if (cookie !== undefined) sent.cookie = cookie;
    if (session.sessionId !== undefined) sent['mcp-session-id'] = session.sessionId;
    if (session.protocolVersion !== undefined) sent['mcp-protocol-version'] = session.protocolVersion;
    if (authorization !== undefined) Object.assign(sent, authorization);
    const { body } = message;
    const response = await http.request({
      method,
      url,
      headers: sent,
      body,
      signal,
      progress,
      headersTimeoutMs,
    });
    if (response.setCookie !== undefined) cookies?.take(url, response.setCookie);
    return response;
  }

  dropIdleConnections(): void {
    this.#options.http.dropIdle();
  }

  /** The user's own cookies come first and stay. */
  #cookieHeader(cookies: Cookies, url: URL): string | undefined {
    const kept = cookies.header(url);
    const own = this.#headers.cookie;
    if (own === undefined || kept === undefined) return own ?? kept;
    return `${own}; ${kept}`;
  }
}

/** 307 and 308 keep the method and the body (RFC 9110 §15.4.8, §15.4.9); to another origin they are never followed (.github/SECURITY.md, attack 13). */
function movedWithinOrigin(response: HttpResponse, from: URL): URL | undefined {
  const { location } = response.headers;
  if ((response.status !== 307 && response.status !== 308) || location === undefined) return undefined;
  return withinOrigin(location, from);
}

/** The address of `reference`, relative to `from`; undefined if it is invalid, at another origin, or contains a login. */
export function withinOrigin(reference: string, from: URL): URL | undefined {
  if (!URL.canParse(reference, from.href)) return undefined;
  const to = new URL(reference, from);
  return to.origin === from.origin && to.username === '' && to.password === '' ? to : undefined;
}
