import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { applyFault, type Fault, FaultPlan, type SeenRequest, seenRequest } from '../faults/faults.ts';
import { Journal } from '../net/journal.ts';
import { type Listening, listen, readBody } from '../net/listening.ts';
import { Consent, type ConsentMode } from './authorization-server-consent.ts';
import { createProvider, type ProviderExtras } from './authorization-server-provider.ts';
import { AuthorizationServerStorage } from './authorization-server-storage.ts';
import { isExchange, isRefresh } from './grant-type.ts';
import { IssuedTokens } from './issued-tokens.ts';

export interface AuthorizationServerOptions {
  readonly consent?: ConsentMode;
  /** The issuer's path, such as `/tenant`; '' by default. */
  readonly path?: string;
  /** What the server knows; the first is granted if a client asks for none (RFC 6749 §3.3). */
  readonly scopes?: readonly string[];
  readonly accessTokenTtlSeconds?: number;
  readonly tokenFormat?: 'opaque' | 'jwt';
  readonly rotate?: boolean;
  /** How long a redeemed refresh token may be redeemed again; 0, the strict default, revokes the grant. */
  readonly reuseGraceMs?: number;
  readonly registration?: boolean;
  /** Which of the well-known addresses answer; all by default. */
  readonly wellKnown?: (path: string) => boolean;
  readonly acceptsResource?: (resource: string) => boolean;
  readonly extras?: ProviderExtras;
}

export type Endpoint = 'metadata' | 'registration' | 'authorization' | 'token' | 'revocation' | 'interaction';
export type ServerEvent =
  | { readonly kind: 'metadata' | 'registered' | 'authorization' | 'code-issued' | 'denied' | 'revocation' }
  | {
      readonly kind: 'exchange' | 'refresh';
      readonly ok: boolean;
      readonly status: number;
      readonly resource: string | undefined;
    }
  | { readonly kind: 'replay' };

const INNER_PATHS: Record<string, Endpoint> = {
  '/reg': 'registration',
  '/auth': 'authorization',
  '/token': 'token',
  '/token/revocation': 'revocation',
};

/** `oidc-provider` on loopback: strict where MCP is strict, with counters, a log of all requests, and misbehaviour on demand. */
export class AuthorizationServer implements AsyncDisposable {
  readonly requests = new Journal<SeenRequest>();
  readonly events = new Journal<ServerEvent>();
  readonly tokens = new IssuedTokens();
  readonly consent: Consent;
  accessTokenTtlSeconds: number;
  reuseGraceMs: number;
  /** Changes the metadata on its way out. */
  alterMetadata: (document: Record<string, unknown>) => Record<string, unknown> | undefined = (document) =>
    document;
  /** Changes the address with which the browser is sent back to the client. */
  alterCallback: (address: URL) => void = () => {};
  #listening: Listening | undefined;
  #provider: Provider | undefined;
  readonly #path: string;
  readonly #options: AuthorizationServerOptions;
  readonly #plan = new FaultPlan();
  readonly #storage: AuthorizationServerStorage;

  constructor(options: AuthorizationServerOptions) {
    this.#options = options;
    this.#path = options.path ?? '';
    this.accessTokenTtlSeconds = options.accessTokenTtlSeconds ?? 3600;
    this.reuseGraceMs = options.reuseGraceMs ?? 0;
    this.#storage = new AuthorizationServerStorage({
      onGraceReplay: () => this.events.add({ kind: 'replay' }),
      onGrantRevoked: (grantId) => this.tokens.revokeGrant(grantId),
      reuseGraceMs: () => this.reuseGraceMs,
    });
    this.consent = new Consent(options.consent ?? 'auto', () => this.events.add({ kind: 'denied' }));
  }

  get issuer(): string {
    return this.#running.origin + this.#path;
  }

  get scopes(): readonly string[] {
    return this.#options.scopes ?? ['mcp:tools', 'mcp:extra'];
  }

  get counters() {
    const kind = (name: ServerEvent['kind'], ok?: boolean) =>
      this.events.count(
        (event) => event.kind === name && (ok === undefined || ('ok' in event && event.ok === ok)),
      );
    return {
      metadataRequests: kind('metadata'),
      registrations: kind('registered'),
      authorizationRequests: kind('authorization'),
      codesIssued: kind('code-issued'),
      denials: kind('denied'),
      codeExchangePosts: kind('exchange'),
      codeExchanges: kind('exchange', true),
      refreshPosts: this.requests.count((request) => isRefresh(request)),
      refreshes: kind('refresh', true),
      /** Refresh tokens that were presented after they had been redeemed; harmless only within `reuseGraceMs`. */
      replays: kind('replay'),
      revocations: kind('revocation'),
    };
  }

  /** Metadata as published, for a resource server to point to. */
  async metadata(): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.#running.origin}/.well-known/oauth-authorization-server${this.#path}`);
    return (await answer.json()) as Record<string, unknown>;
  }

  /** From now on, or for the next `times` requests of that kind. */
  fail(endpoint: Endpoint, fault: Fault, times?: number): void {
    this.#plan.add(fault, (request) => this.#endpoint(request.path) === endpoint, times);
  }

  failRefresh(fault: Fault, times?: number): void {
    this.#plan.add(fault, isRefresh, times);
  }

  failExchange(fault: Fault, times?: number): void {
    this.#plan.add(fault, isExchange, times);
  }

  heal(): void {
    this.#plan.clear();
  }

  /** Refresh tokens, grants and access tokens of everybody. */
  revokeEverything(): void {
    this.#storage.revokeEveryGrant();
  }

  forgetClients(): void {
    this.#storage.forgetClients();
  }

  expireDeviceCodes(): void {
    this.#storage.expireDeviceCodes();
  }

  async start(): Promise<this> {
    this.#listening = await listen((request, response) => {
      // A client that was killed in mid-request.
      this.#serve(request, response).catch((error) => response.destroy(error));
    });
    this.#provider = createProvider({
      issuer: this.issuer,
      mountPath: this.#path,
      scopes: this.scopes,
      storage: this.#storage,
      extras: this.#options.extras ?? {},
      registration: this.#options.registration ?? true,
      tokenFormat: this.#options.tokenFormat ?? 'opaque',
      rotates: () => this.#options.rotate ?? true,
      accessTokenTtlSeconds: () => this.accessTokenTtlSeconds,
      acceptsResource: this.#options.acceptsResource ?? (() => true),
    });
    this.#provider.use((context, next) => this.#watch(context as KoaContextWithOIDC, next));
    return this;
  }

  async close(): Promise<void> {
    await this.#listening?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #running(): Listening {
    if (this.#listening === undefined) throw new Error('the authorization server was not started');
    return this.#listening;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const seen = seenRequest(request, body);
    this.requests.add(seen);
    const fault = this.#plan.take(seen);
    if (fault !== undefined && !(await applyFault(fault, request, response))) return;
    const inner = this.#withScope(this.#innerUrl(seen.url));
    if (inner === undefined || this.#provider === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (inner.startsWith('/interaction/')) {
      await this.consent.serve(this.#provider, request, response, body.toString('utf8'));
      return;
    }
    // oidc-provider reads the body itself; it was read already, so it is handed out once more.
    Object.defineProperties(request, {
      readable: { value: true },
      iterator: {
        value: async function* () {
          yield body;
        },
      },
    });
    request.url = inner;
    (request as { originalUrl?: string }).originalUrl = this.#path + inner;
    await this.#provider.callback()(request, response);
  }

  /** oidc-provider denies a request without a scope; RFC 6749 §3.3 lets the server have a default. */
  #withScope(inner: string | undefined): string | undefined {
    if (!inner?.startsWith('/auth?')) return inner;
    const query = new URLSearchParams(inner.slice('/auth?'.length));
    if (query.get('scope')) return inner;
    return `${inner}&scope=${encodeURIComponent(this.scopes[0] as string)}`;
  }

  #endpoint(path: string): Endpoint | undefined {
    if (path.includes('/.well-known/')) return 'metadata';
    const inner = this.#innerUrl(path);
    return inner?.startsWith('/interaction/') ? 'interaction' : INNER_PATHS[inner ?? ''];
  }

  /** The well-knowns in both places (RFC 8414 §3.1, OpenID Connect Discovery §4), everything else under the issuer's path. */
  #innerUrl(url: string): string | undefined {
    const [path = ''] = url.split('?');
    if (path.includes('/.well-known/')) {
      if (this.#options.wellKnown?.(path) === false) return undefined;
      const names = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
      return names.find((name) => path === name + this.#path || path === this.#path + name);
    }
    if (!url.startsWith(`${this.#path}/`)) return undefined;
    return url.slice(this.#path.length);
  }

  async #watch(context: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
    await next();
    // An address that is no endpoint has no OAuth context.
    const route = (context as { oidc?: { route: string } }).oidc?.route;
    if (route === 'discovery') {
      this.events.add({ kind: 'metadata' });
      context.body = this.alterMetadata(context.body as Record<string, unknown>);
    } else if (route === 'registration' && context.status === 201) this.events.add({ kind: 'registered' });
    else if (route === 'authorization' || route === 'resume') this.#afterAuthorization(context, route);
    else if (route === 'token') this.#afterToken(context);
    else if (route === 'revocation') this.#afterRevocation(context);
  }

  #afterAuthorization(context: KoaContextWithOIDC, route: string): void {
    if (route === 'authorization') this.events.add({ kind: 'authorization' });
    const location = context.response.get('location');
    if (!URL.canParse(location) || location.startsWith(`${this.#running.origin}/`)) return;
    const address = new URL(location);
    if (address.searchParams.has('code')) this.events.add({ kind: 'code-issued' });
    this.alterCallback(address);
    context.set('location', address.href);
  }

  #afterToken(context: KoaContextWithOIDC): void {
    const { params, entities } = context.oidc;
    const ok = context.status === 200;
    const resource = typeof params?.resource === 'string' ? params.resource : undefined;
    const grantType = params?.grant_type;
    if (ok) {
      const { access_token: token } = context.body as { access_token: string };
      const issued = entities.AccessToken ?? entities.ClientCredentials;
      this.tokens.add({
        token,
        clientId: issued?.clientId ?? '',
        scopes: issued?.scope?.split(' ') ?? [],
        audience: typeof issued?.aud === 'string' ? issued.aud : undefined,
        grantId: entities.AccessToken?.grantId,
        jkt: issued?.jkt,
        expiresAt: Date.now() + this.accessTokenTtlSeconds * 1000,
      });
    } else if (grantType === 'refresh_token' && this.#storage.wasRedeemed(String(params?.refresh_token))) {
      this.events.add({ kind: 'replay' });
    }
    if (grantType === 'authorization_code' || grantType === 'refresh_token') {
      const kind = grantType === 'refresh_token' ? 'refresh' : 'exchange';
      this.events.add({ kind, ok, status: context.status, resource });
    }
  }

  #afterRevocation(context: KoaContextWithOIDC): void {
    this.events.add({ kind: 'revocation' });
    const token = context.oidc.params?.token;
    if (context.status === 200 && typeof token === 'string') this.tokens.revoke(token);
  }
}

export function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  return new AuthorizationServer(options).start();
}
