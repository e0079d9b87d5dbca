import { randomUUID } from 'node:crypto';
import { request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { checkProof } from '../authorization-servers/dpop-proofs.ts';
import type { IssuedTokens } from '../authorization-servers/issued-tokens.ts';
import { Journal } from '../net/journal.ts';
import { type Listening, listen } from '../net/listening.ts';

export interface DpopGateOptions {
  /** The server behind it, without protection of its own. */
  readonly inner: string;
  readonly issuer: string;
  readonly tokens: IssuedTokens;
  /** `each`: every answer brings another one, and each is good for one request. `last`: the last one alone. `never-good`: none is. */
  readonly nonces?: 'none' | 'each' | 'last' | 'never-good';
  /** Its metadata says that it takes no other tokens. */
  readonly required?: boolean;
  /** Bearer tokens as well; `unsaid`: and its challenge does not say so. */
  readonly bearer?: 'said' | 'unsaid' | undefined;
  /** Its clock minus ours. */
  readonly clockOffsetMs?: number;
}

export interface GateEvent {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** `passed`, or why not. */
  readonly outcome: string;
}

/** A protected resource (RFC 9449 §7) in front of any MCP server: believes no proof that it has not verified. */
export class DpopGate implements AsyncDisposable {
  readonly events = new Journal<GateEvent>();
  /** Where it sends what it would let pass, instead of passing it; what comes with a query has been there. */
  redirectTo: string | undefined;
  /** What it takes from now on. */
  bearer: DpopGateOptions['bearer'];
  readonly #options: DpopGateOptions;
  readonly #nonces = new Set<string>();
  readonly #jtis = new Set<string>();
  readonly #listening: Listening;

  private constructor(options: DpopGateOptions, listening: Listening) {
    this.#options = options;
    this.bearer = options.bearer;
    this.#listening = listening;
  }

  static async start(options: DpopGateOptions): Promise<DpopGate> {
    const listening = await listen((request, response) => gate.#serve(request, response));
    const gate: DpopGate = new DpopGate(options, listening);
    return gate;
  }

  get origin(): string {
    return this.#listening.origin;
  }

  /** Of the path of the server behind it. */
  get url(): string {
    return this.origin + new URL(this.#options.inner).pathname;
  }

  outcomes(outcome: string): readonly GateEvent[] {
    return this.events.entries.filter((event) => event.outcome === outcome);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening.close();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    const { nonces = 'none', clockOffsetMs = 0 } = this.#options;
    if (clockOffsetMs !== 0) response.setHeader('date', new Date(this.#now()).toUTCString());
    if (url.startsWith('/.well-known/oauth-protected-resource')) return this.#metadata(response);
    const fault = this.#fault(request);
    if (nonces === 'last') this.#nonces.clear();
    if (nonces !== 'none') response.setHeader('dpop-nonce', this.#newNonce());
    this.events.add({ method, path: url, headers, outcome: fault ?? 'passed' });
    if (fault !== undefined) {
      request.resume();
      return void response.writeHead(401, { 'www-authenticate': this.#challenge(fault) }).end();
    }
    if (this.redirectTo === undefined || url.includes('?')) return this.#pass(request, response);
    request.resume();
    response.writeHead(307, { location: this.redirectTo }).end();
  }

  #fault({ method = '', url = '', headers }: IncomingMessage): string | undefined {
    const [scheme = '', token] = (headers.authorization ?? '').split(' ');
    if (token === undefined) return 'no-token';
    const issued = this.#options.tokens.all.find((each) => each.token === token);
    if (issued === undefined || !this.#options.tokens.isGood(token)) return 'invalid_token';
    if (scheme === 'Bearer')
      return issued.jkt === undefined && this.bearer !== undefined ? undefined : 'invalid_token';
    if (scheme !== 'DPoP') return 'no-token';
    const proof = typeof headers.dpop === 'string' ? headers.dpop : undefined;
    const checked = checkProof({ method, url: this.origin + url, proof, token, now: this.#now() });
    if (checked.kind === 'bad') return `invalid_dpop_proof ${checked.why}`;
    if (checked.jkt !== issued.jkt) return 'invalid_token';
    if (this.#jtis.has(checked.jti)) return 'invalid_dpop_proof repeated';
    this.#jtis.add(checked.jti);
    if (this.#options.nonces === undefined || this.#options.nonces === 'none') return undefined;
    const isFresh = checked.nonce !== undefined && this.#nonces.delete(checked.nonce);
    return isFresh && this.#options.nonces !== 'never-good' ? undefined : 'use_dpop_nonce';
  }

  #now(): number {
    return Date.now() + (this.#options.clockOffsetMs ?? 0);
  }

  #newNonce(): string {
    const nonce = randomUUID();
    this.#nonces.add(nonce);
    return nonce;
  }

  #challenge(fault: string): string {
    const { pathname } = new URL(this.url);
    const metadata = `resource_metadata="${this.origin}/.well-known/oauth-protected-resource${pathname}"`;
    const error = fault === 'no-token' ? '' : `, error="${fault.split(' ')[0]}"`;
    const challenges = this.bearer === 'said' ? ['DPoP', 'Bearer'] : ['DPoP'];
    return challenges
      .map((scheme) => `${scheme} ${metadata}${scheme === 'DPoP' ? ', algs="ES256 ES384"' : ''}${error}`)
      .join(', ');
  }

  #metadata(response: ServerResponse): void {
    const { issuer, required } = this.#options;
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        resource: this.url,
        authorization_servers: [issuer],
        ...(required === undefined ? {} : { dpop_bound_access_tokens_required: required }),
      }),
    );
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { authorization, dpop, host, ...headers } = request.headers;
    const address = new URL(request.url ?? '/', this.#options.inner);
    const { method } = request;
    const inner = ask(address, { headers, ...(method === undefined ? {} : { method }) }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      answer.pipe(response);
    });
    inner.on('error', () => response.destroy());
    response.once('close', () => inner.destroy());
    request.pipe(inner);
  }
}
