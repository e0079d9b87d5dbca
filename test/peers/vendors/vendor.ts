import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type SeenRequest, seenRequest } from '../faults/faults.ts';
import { Journal } from '../net/journal.ts';
import { type Listening, listen, readBody, type TlsIdentity } from '../net/listening.ts';
import { repeating } from './repeated.ts';
import { SSE_PATH, VendorSse } from './vendor-sse.ts';

export interface VendorAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string goes out as it is, anything else as JSON. */
  readonly body?: unknown;
}

export interface Rpc {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly name?: string };
}

/** What one vendor does differently; what is left out, or answers undefined, is as the specifications have it. */
export interface VendorHabits {
  /** What its codes and tokens begin with. */
  readonly mark?: string;
  /** Each refusal shows what was sent: in its page, its description, its challenge. */
  readonly repeats?: boolean;
  /** Before all others, for any path. */
  readonly any?: (request: SeenRequest, vendor: Vendor) => VendorAnswer | undefined;
  /** Laid over the authorization server metadata; undefined values take fields away, `null` the document. */
  readonly metadata?: (vendor: Vendor) => Readonly<Record<string, unknown>> | null;
  readonly resourceMetadata?: (vendor: Vendor) => Readonly<Record<string, unknown>> | null;
  readonly authorize?: (query: URLSearchParams, vendor: Vendor) => VendorAnswer | undefined;
  readonly token?: (form: URLSearchParams, request: SeenRequest, vendor: Vendor) => VendorAnswer | undefined;
  readonly register?: (vendor: Vendor, request: SeenRequest) => VendorAnswer | undefined;
  readonly mcp?: (rpc: Rpc, request: SeenRequest, vendor: Vendor) => VendorAnswer | undefined;
  /** Speaks HTTP+SSE, at another address. */
  readonly sse?: true;
  /** Any other path. */
  readonly other?: (request: SeenRequest, vendor: Vendor) => VendorAnswer | undefined;
}

export interface Issued {
  readonly accessToken: string;
  readonly scope: string | undefined;
}

/** An MCP server at `/mcp` and its authorization server, plain and scripted: for habits that no library can be made to have. */
export class Vendor implements AsyncDisposable {
  readonly requests = new Journal<SeenRequest>();
  /** A test may change them in mid-run. */
  habits: VendorHabits;
  /** Connections, whether a request came over them or not. */
  connections = 0;
  /** The common name of the client certificate with which each request came, in the order of `requests`. */
  readonly certificates: (string | string[] | undefined)[] = [];
  readonly issued: Issued[] = [];
  readonly #listening: Listening;
  readonly #codes = new Map<string, { readonly challenge: string; readonly scope: string | undefined }>();
  readonly #refreshTokens = new Set<string>();
  readonly #sse: VendorSse | undefined;
  #count = 0;

  private constructor(listening: Listening, habits: VendorHabits) {
    this.#listening = listening;
    this.habits = habits;
    this.#sse = habits.sse === true ? new VendorSse(this) : undefined;
  }

  /** `name`: the host by which the vendor calls itself, for clients that reach it by way of a proxy. */
  static async start(habits: VendorHabits = {}, tls?: TlsIdentity, name?: string): Promise<Vendor> {
    const serve: RequestListener = (request, response) => void vendor.#serve(request, response);
    const listening = await listen(serve, 0, '127.0.0.1', tls);
    const origin = name === undefined ? listening.origin : listening.origin.replace('127.0.0.1', name);
    const vendor: Vendor = new Vendor({ ...listening, origin }, habits);
    listening.server.on('connection', () => vendor.connections++);
    return vendor;
  }

  get origin(): string {
    return this.#listening.origin;
  }

  get #mark(): string {
    return this.habits.mark ?? '';
  }

  get mcpUrl(): string {
    return this.origin + (this.#sse === undefined ? '/mcp' : SSE_PATH);
  }

  to(path: string, method?: string): readonly SeenRequest[] {
    return this.requests.entries.filter(
      (request) => request.path === path && (method === undefined || request.method === method),
    );
  }

  /** The forms that came to the token endpoint, in order. */
  get tokenForms(): readonly URLSearchParams[] {
    return this.to('/token').map(({ body }) => new URLSearchParams(body));
  }

  get authorizeQueries(): readonly URLSearchParams[] {
    return this.to('/authorize').map(({ url }) => new URL(url, this.origin).searchParams);
  }

  /** Issues what the specification has it issue, with changes. */
  issue(scope?: string, change: Readonly<Record<string, unknown>> = {}): VendorAnswer {
    const number = ++this.#count;
    const accessToken = `${this.#mark}access-${number}`;
    const refreshToken = `${this.#mark}refresh-${number}`;
    this.#refreshTokens.add(refreshToken);
    this.issued.push({ accessToken, scope });
    const tokens = {
      access_token: accessToken,
      refresh_token: refreshToken,
      token_type: 'Bearer',
      expires_in: 3600,
    };
    return { body: { ...tokens, ...(scope === undefined ? {} : { scope }), ...change } };
  }

  /** No token that was issued so far is taken any more. */
  forgetAccessTokens(): void {
    this.issued.length = 0;
  }

  /** No login is left of those that there were. */
  forgetLogins(): void {
    this.forgetAccessTokens();
    this.#refreshTokens.clear();
  }

  unauthorized(more = ''): VendorAnswer {
    const { pathname } = new URL(this.mcpUrl);
    const address = `${this.origin}/.well-known/oauth-protected-resource${pathname}`;
    return { status: 401, headers: { 'www-authenticate': `Bearer resource_metadata="${address}"${more}` } };
  }

  issuedTo(request: SeenRequest): Issued | undefined {
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    return this.issued.find(({ accessToken }) => accessToken === token);
  }

  answer(rpc: Rpc): VendorAnswer {
    if (rpc.id === undefined) return { status: 202 };
    // A method of the other era is unknown here.
    if (rpc.method === 'server/discover') {
      const error = { code: -32601, message: 'Method not found' };
      return { body: { jsonrpc: '2.0', id: rpc.id, error } };
    }
    return { body: { jsonrpc: '2.0', id: rpc.id, result: RESULTS[rpc.method ?? ''] ?? {} } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = seenRequest(request, await readBody(request));
    const { socket } = request;
    this.certificates.push(socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined);
    this.requests.add(seen);
    const answer = this.#sse?.serve(seen, response) ?? this.#judge(seen);
    if (answer === 'taken') return;
    const said = this.habits.repeats === true ? repeating(answer, seen, this.#count++) : answer;
    const { status = 200, headers = {}, body } = said;
    const isText = typeof body === 'string';
    response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers });
    response.end(body === undefined ? '' : isText ? body : JSON.stringify(body));
  }

  #judge(seen: SeenRequest): VendorAnswer {
    const { path } = seen;
    const first = this.habits.any?.(seen, this);
    if (first !== undefined) return first;
    if (path === '/mcp') return this.#mcp(seen);
    if (path === '/token') return this.#token(seen);
    if (path === '/authorize') return this.#authorize(new URL(seen.url, this.origin).searchParams);
    if (path === '/register') return this.habits.register?.(this, seen) ?? this.#register(seen);
    if (path.startsWith('/.well-known/oauth-protected-resource')) return this.#resourceMetadata();
    if (path === '/.well-known/oauth-authorization-server') return this.#metadata();
    const own = this.habits.other?.(seen, this);
    if (own !== undefined) return own;
    return path === '/login' ? { body: '<h1>Log in</h1>' } : { status: 404 };
  }

  #mcp(seen: SeenRequest): VendorAnswer {
    if (seen.method !== 'POST') return { status: 405 };
    const rpc = JSON.parse(seen.body) as Rpc;
    const own = this.habits.mcp?.(rpc, seen, this);
    if (own !== undefined) return own;
    return this.issuedTo(seen) === undefined ? this.unauthorized() : this.answer(rpc);
  }

  #metadata(): VendorAnswer {
    const { origin } = this;
    const change = this.habits.metadata?.(this);
    if (change === null) return { status: 404 };
    return {
      body: {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        ...change,
      },
    };
  }

  #resourceMetadata(): VendorAnswer {
    const change = this.habits.resourceMetadata?.(this);
    if (change === null) return { status: 404 };
    return { body: { resource: this.mcpUrl, authorization_servers: [this.origin], ...change } };
  }

  #register(seen: SeenRequest): VendorAnswer {
    return { status: 201, body: { ...JSON.parse(seen.body), client_id: 'registered-client' } };
  }

  #authorize(query: URLSearchParams): VendorAnswer {
    const own = this.habits.authorize?.(query, this);
    if (own !== undefined) return own;
    if (query.get('prompt') === 'none') return { status: 302, headers: { location: `${this.origin}/login` } };
    return this.sendBack(query);
  }

  /** The person has said yes. */
  sendBack(query: URLSearchParams, more: Readonly<Record<string, string>> = {}): VendorAnswer {
    const code = `${this.#mark}code-${++this.#count}`;
    const scope = query.get('scope') ?? undefined;
    this.#codes.set(code, { challenge: query.get('code_challenge') ?? '', scope });
    const back = new URL(query.get('redirect_uri') ?? '');
    back.search = new URLSearchParams({ code, state: query.get('state') ?? '', ...more }).toString();
    return { status: 302, headers: { location: back.href } };
  }

  #token(seen: SeenRequest): VendorAnswer {
    const form = new URLSearchParams(seen.body);
    const own = this.habits.token?.(form, seen, this);
    if (own !== undefined) return own;
    if (form.get('grant_type') === 'authorization_code') {
      const code = form.get('code') ?? '';
      const issued = this.#codes.get(code);
      const proof = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (!this.#codes.delete(code) || issued?.challenge !== proof) return refusal('invalid_grant');
      return this.issue(issued.scope);
    }
    if (form.get('grant_type') === 'refresh_token') {
      const isKnown = this.#refreshTokens.delete(form.get('refresh_token') ?? '');
      return isKnown ? this.issue(form.get('scope') ?? undefined) : refusal('invalid_grant');
    }
    return refusal('unsupported_grant_type');
  }
}

export function refusal(error: string, description?: string, status = 400): VendorAnswer {
  return {
    status,
    body: { error, ...(description === undefined ? {} : { error_description: description }) },
  };
}

const tool = (name: string) => ({ name, inputSchema: { type: 'object' } });
const RESULTS: Readonly<Record<string, unknown>> = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'vendor', version: '1' },
  },
  'tools/list': { tools: [tool('echo')] },
  'tools/call': { content: [{ type: 'text', text: 'called' }] },
};
