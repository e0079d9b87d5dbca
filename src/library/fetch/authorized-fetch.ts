import type { Bearer } from '../../auth/authorization.ts';
import type { DpopExchange } from '../../remote/http/dpop-exchange.ts';
import { MAX_REDIRECTS } from '../../remote/http/limits.ts';
import { withinOrigin } from '../../remote/http/mcp-origin.ts';
import { NO_RECOVERIES, nextRecovery } from '../../remote/http/recovery.ts';
import { startOfBody } from '../../remote/http/refusal-body.ts';
import { NotReplayableError, OtherOriginError } from '../interface/errors.ts';
import { type OutgoingRequest, readRequest } from './request.ts';
import type { Answer, Send } from './send.ts';
import type { Tokens } from './tokens.ts';

export interface AuthorizedFetchDeps {
  readonly server: URL;
  /** The settings' own headers, for the server's origin alone (.github/SECURITY.md, attack 14). */
  readonly headers: readonly (readonly [string, string])[];
  readonly userAgent: string;
  readonly tokens: Tokens;
  readonly send: Send;
  /** Aborts when the login is closed. */
  readonly closing: AbortSignal;
}

/** `fetch` with the token of one server. Requests to another origin are sent unchanged. */
export class AuthorizedFetch {
  readonly #deps: AuthorizedFetchDeps;
  #proven: Promise<DpopExchange> | undefined;

  constructor(deps: AuthorizedFetchDeps) {
    this.#deps = deps;
  }

  /** Rejects with a DrawbridgeError, or with the reason of the caller's signal. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const { closing, server } = this.#deps;
    const request = await readRequest(input, init);
    const signal = request.signal === undefined ? closing : AbortSignal.any([request.signal, closing]);
    signal.throwIfAborted();
    if (!/^https?:$/.test(request.url.protocol)) return fetch(input, init);
    if (request.url.origin !== server.origin) return this.#plain(request, request.url, signal, 0);
    return this.#authorized(request, signal);
  }

  /** The decisions are the bridge's (`remote/http/recovery.ts`): RFC 6750 §3.1, and MCP, Authorization → Step-Up Authorization Flow. */
  async #authorized(request: OutgoingRequest, signal: AbortSignal): Promise<Response> {
    const { tokens } = this.#deps;
    const sending = new Sending(request);
    let counts = NO_RECOVERIES;
    let bearer = await tokens.current(signal);
    for (;;) {
      const arrived = await this.#followed(sending, bearer, signal);
      const { answer } = arrived;
      const { status } = answer;
      if (bearer !== undefined && status !== 401) tokens.worked(bearer);
      if (status !== 401 && status !== 403) return this.#response(request, arrived, signal);
      const { bearerChallenge } = await import('../../protocol/www-authenticate.ts');
      const header = answer.headers['www-authenticate'];
      const wwwAuthenticate = header === undefined ? undefined : bearerChallenge(header);
      const next = nextRecovery({ status, wwwAuthenticate }, counts);
      if (next === undefined) return this.#response(request, arrived, signal);
      counts = next;
      await startOfBody(answer);
      bearer = await tokens.replace(bearer, wwwAuthenticate, signal);
    }
  }

  /** Sends with the token, and follows redirects within the origin (.github/SECURITY.md, attack 13). */
  async #followed(sending: Sending, bearer: Bearer | undefined, signal: AbortSignal): Promise<Arrived> {
    let { url, method } = sending.request;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#send(sending, { url, method }, bearer, signal);
      const moved = redirects < MAX_REDIRECTS ? movedTo(sending.request, answer, method) : undefined;
      const to = moved && withinOrigin(moved.location, url);
      if (moved === undefined || to === undefined) return { answer, url, method, redirects };
      answer.discard();
      url = to;
      method = moved.method;
    }
  }

  async #send(
    sending: Sending,
    { url, method }: Target,
    bearer: Bearer | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { headers: own, userAgent, send } = this.#deps;
    const { request } = sending;
    const headers: Record<string, string> = Object.fromEntries(request.headers);
    delete headers.authorization;
    for (const [name, value] of own) headers[name.toLowerCase()] ??= value;
    headers['user-agent'] ??= userAgent;
    const attempt = (more: Readonly<Record<string, string>>) => {
      const body = sending.body(method);
      if (body === undefined) delete headers['content-type'];
      return send({ url, method, headers: { ...headers, ...more }, body, signal, init: request.init });
    };
    if (bearer?.dpopProofs !== undefined) {
      this.#proven ??= import('../../remote/http/dpop-exchange.ts').then(
        ({ DpopExchange }) => new DpopExchange(),
      );
      const [proven, dpopProofs] = await Promise.all([this.#proven, bearer.dpopProofs()]);
      const { token } = bearer;
      let last: Answer | undefined;
      await proven.send(dpopProofs, {
        method,
        url,
        token,
        send: async (more) => {
          last = await attempt(more);
          return last;
        },
      });
      return last as unknown as Answer;
    }
    return attempt(bearer === undefined ? {} : { authorization: `Bearer ${bearer.token}` });
  }

  /** The response for the caller, once it is not a redirect to follow. */
  async #response(
    request: OutgoingRequest,
    { answer, url, method, redirects }: Arrived,
    signal: AbortSignal,
  ): Promise<Response> {
    const moved = movedTo(request, answer, method);
    if (moved === undefined || redirects >= MAX_REDIRECTS) return shown(answer, url, redirects);
    const to = URL.canParse(moved.location, url.href) ? new URL(moved.location, url) : undefined;
    answer.discard();
    // Nothing meant for the server goes elsewhere: neither the token nor the message.
    if (to === undefined || (moved.method !== 'GET' && moved.method !== 'HEAD')) {
      throw new OtherOriginError(
        'the server redirects this request to another origin, to which it does not go',
        {
          hint: "Use the address that the server redirects to, or `redirect: 'manual'` to see it.",
        },
      );
    }
    const bare = {
      ...request,
      url: to,
      method: moved.method,
      body: undefined,
      headers: withoutSecrets(request.headers),
    };
    return this.#plain(bare, to, signal, redirects + 1);
  }

  /** To another origin, without anything that belongs to the server. */
  async #plain(request: OutgoingRequest, from: URL, signal: AbortSignal, before: number): Promise<Response> {
    const { send, userAgent } = this.#deps;
    const sending = new Sending(request);
    let { method } = request;
    let { headers } = request;
    let url = from;
    for (let redirects = before; ; redirects++) {
      const sent: Record<string, string> = { 'user-agent': userAgent, ...Object.fromEntries(headers) };
      const body = sending.body(method);
      const answer = await send({ url, method, headers: sent, body, signal, init: request.init });
      const moved = redirects < MAX_REDIRECTS ? movedTo(request, answer, method) : undefined;
      if (moved === undefined || !URL.canParse(moved.location, url.href))
        return shown(answer, url, redirects);
      answer.discard();
      const to = new URL(moved.location, url);
      if (to.origin !== url.origin) headers = withoutSecrets(headers);
      url = to;
      method = moved.method;
    }
  }
}

interface Target {
  readonly url: URL;
  readonly method: string;
}

/** A response, and its address after redirects within the origin. */
interface Arrived extends Target {
  readonly answer: Answer;
  readonly redirects: number;
}

/** One request being sent: a stream can be sent only once. */
class Sending {
  readonly request: OutgoingRequest;
  #isGone = false;

  constructor(request: OutgoingRequest) {
    this.request = request;
  }

  /** The body for another attempt. Throws NotReplayableError for a stream that was sent. */
  body(method: string): OutgoingRequest['body'] {
    const { body } = this.request;
    if (body === undefined || method === 'GET' || method === 'HEAD') return undefined;
    if (body.kind === 'bytes') return body;
    if (this.#isGone) {
      throw new NotReplayableError(
        'the request has to be sent again, and its body is a stream, which is gone',
        {
          hint: 'The login is renewed: call again. A string, bytes, URLSearchParams, FormData or a Blob is sent again by itself.',
        },
      );
    }
    this.#isGone = true;
    return body;
  }
}

/** The target and method of a redirect (Fetch standard, "HTTP-redirect fetch"); undefined for any other response. */
function movedTo(
  request: OutgoingRequest,
  { status, headers: { location } }: Answer,
  method: string,
): { readonly location: string; readonly method: string } | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  if (request.redirect !== 'follow') {
    if (request.redirect === 'error') throw new OtherOriginError('the server answers with a redirect');
    return undefined;
  }
  const becomesGet = status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST';
  return { location, method: becomesGet ? 'GET' : method };
}

/** Fetch standard, "HTTP-redirect fetch", step 13: these are not sent to another origin. */
function withoutSecrets(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ['authorization', 'cookie', 'proxy-authorization', 'host']) kept.delete(name);
  return kept;
}

async function shown(answer: Answer, url: URL, redirects: number): Promise<Response> {
  const response = await answer.toResponse();
  // A Response created by a program has no address.
  Object.defineProperty(response, 'url', { value: url.href, configurable: true });
  Object.defineProperty(response, 'redirected', { value: redirects > 0, configurable: true });
  return response;
}
