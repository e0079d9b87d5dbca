import type { Dispatcher } from 'undici';
import { ResponseBody } from './body.ts';
import { resetting } from './connector.ts';
import { httpFailure } from './failure.ts';
import { HttpError, type HttpRequest, type HttpResponse } from './http.ts';

/** Sends one request and resolves with the response's headers; the caller reads the body. Rejects with HttpError or the signal's reason. */
export function exchange(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpResponse> {
  const { signal, url } = request;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const handler = new Exchange(request, resolve, reject);
    const { origin, path } = targetOf(url);
    dispatcher.dispatch(
      {
        origin,
        path,
        method: request.method,
        headers: { ...request.headers }, // copied, since undici's proxy agent modifies them
        body: request.body ?? null,
        headersTimeout: request.headersTimeoutMs ?? 0,
        bodyTimeout: 0,
      },
      handler,
    );
  });
}

interface Target {
  readonly href: string;
  readonly origin: string;
  readonly path: string;
}

/** A cache: nearly every request has the same URL as the last one, and a `URL` builds each of its parts again on every access. */
let lastTarget: Target = { href: '', origin: '', path: '' };

function targetOf(url: URL): Target {
  const { href } = url;
  if (href !== lastTarget.href) lastTarget = { href, origin: url.origin, path: url.pathname + url.search };
  return lastTarget;
}

/** A handler of undici's older interface, because the newer one does not tell when a request has been sent. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #stop: (() => void) | undefined;
  #sent = false;
  #abort: ((reason?: Error) => void) | undefined;
  #body: ResponseBody | undefined;

  constructor(
    request: HttpRequest,
    resolve: (response: HttpResponse) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    const { signal } = request;
    if (signal === undefined) return;
    this.#stop = () => {
      this.#finish();
      const abort = () => this.#abort?.();
      // Before undici is told: it reports an error of its own then, and only the first one counts.
      if (this.#body === undefined) {
        this.#reject(signal.reason);
        if (request.neverLate === true) resetting(abort);
        else abort();
      } else {
        this.#body.fail(signal.reason);
        abort();
      }
    };
    signal.addEventListener('abort', this.#stop);
  }

  onConnect(abort: (reason?: Error) => void): void {
    if (this.#request.mayStart?.() === false) {
      abort(new HttpError('timeout', 'the connection took too long to be of use', { sent: false }));
      return;
    }
    this.#sent = true;
    this.#abort = abort;
    if (this.#request.signal?.aborted) abort();
  }

  onRequestSent(): void {
    this.#request.progress?.sent();
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void): boolean {
    if (status < 200) return true;
    const giveUp = () => {
      this.#finish();
      this.#abort?.();
    };
    const body = new ResponseBody(resume, giveUp);
    this.#body = body;
    const discard = () => {
      giveUp();
      body.fail(new HttpError('network', 'the body was discarded', { sent: true }));
    };
    this.#resolve({ status, ...readHeaders(rawHeaders), body, discard });
    return true;
  }

  onData(chunk: Buffer): boolean {
    return this.#body?.push(chunk) ?? true;
  }

  onComplete(): void {
    this.#finish();
    this.#body?.end();
  }

  onError(error: Error): void {
    this.#finish();
    const failure = httpFailure(error, this.#request.url, this.#sent);
    if (this.#body === undefined) this.#reject(failure);
    else this.#body.fail(failure);
  }

  #finish(): void {
    if (this.#stop !== undefined) this.#request.signal?.removeEventListener('abort', this.#stop);
  }
}

function readHeaders(raw: readonly Buffer[]): Pick<HttpResponse, 'headers' | 'setCookie'> {
  const headers: Record<string, string> = Object.create(null);
  let setCookie: string[] | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] as Buffer).toString('latin1').toLowerCase();
    const value = (raw[at + 1] as Buffer).toString('latin1');
    if (name === 'set-cookie') {
      setCookie ??= [];
      setCookie.push(value);
    } else headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return setCookie === undefined ? { headers } : { headers, setCookie };
}
