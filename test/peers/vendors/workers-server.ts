import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  AuthRequest,
  OAuthAuthorizationServerOptions,
  OAuthHelpers,
} from '@cloudflare/workers-oauth-provider';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { consentPage } from '../authorization-servers/consent-page.ts';
import { type SeenRequest, seenRequest } from '../faults/faults.ts';
import { Journal } from '../net/journal.ts';
import { type Listening, listen, readBody } from '../net/listening.ts';
import { sendWebResponse, webRequest } from '../net/web-standard.ts';
import { KvNamespace, loadWorkersOAuthProvider } from './workers-runtime.ts';

interface Env {
  readonly OAUTH_KV: KvNamespace;
}

export interface WorkersServerOptions
  extends Pick<OAuthAuthorizationServerOptions<Env>, 'enterpriseManagedAuthorization'> {
  /** Shows a page that asks; else the person has agreed before. */
  readonly asks?: boolean;
  /** RFC 7591; false: other ways to a client id only. */
  readonly registration?: boolean;
  /** Documents on the web, by their https address: where this server looks for clients and keys. */
  readonly web?: Readonly<Record<string, unknown>>;
}

const SCOPES = ['mcp:read', 'mcp:write'];
const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };

/**
 * Cloudflare's authorization server and resource server, which many remote MCP servers are made of, each at an origin of its own on
 * loopback; behind them a server of the SDK's. `write` wants `mcp:write`, and says so with a challenge.
 */
export class WorkersServer implements AsyncDisposable {
  readonly requests = new Journal<SeenRequest>();
  readonly env: Env = { OAUTH_KV: new KvNamespace() };
  readonly url: string;
  readonly issuer: string;
  readonly #listening: readonly Listening[];
  readonly #restoreFetch: () => void;
  readonly #lost = new Map<string, number>();

  private constructor(authority: Listening, resource: Listening, restoreFetch: () => void) {
    this.issuer = authority.origin;
    this.url = `${resource.origin}/mcp`;
    this.#listening = [authority, resource];
    this.#restoreFetch = restoreFetch;
  }

  static async start(options: WorkersServerOptions = {}): Promise<WorkersServer> {
    const { OAuthAuthorizationServer, OAuthResourceServer, insufficientScope } =
      await loadWorkersOAuthProvider();
    let serve = async (_request: Request): Promise<Response> => new Response(null, { status: 503 });
    const answer = async (request: IncomingMessage, response: ServerResponse, origin: string) => {
      const body = await readBody(request);
      const seen = seenRequest(request, body);
      server.requests.add(seen);
      const served = await serve(webRequest(request, origin + request.url, body));
      if (server.#isLost(seen.path)) response.destroy();
      else sendWebResponse(served, response);
    };
    const authority: Listening = await listen((...pair) => void answer(...pair, authority.origin));
    const resource: Listening = await listen((...pair) => void answer(...pair, resource.origin));
    const server = new WorkersServer(authority, resource, routeFetch(options.web ?? {}));

    const { issuer, url, env } = server;
    const oauth = new OAuthAuthorizationServer<Env>({
      issuer,
      resources: [url],
      scopesSupported: SCOPES,
      clientIdMetadataDocumentEnabled: true,
      ...(options.registration === false ? {} : { clientRegistrationEndpoint: '/oauth/register' }),
      ...(options.enterpriseManagedAuthorization === undefined
        ? {}
        : { enterpriseManagedAuthorization: options.enterpriseManagedAuthorization }),
      onError: () => undefined,
    });
    const mcp = createMcpHandler(features, { legacy: 'stateless' });
    const host = new OAuthResourceServer<Env, unknown>({
      resourceMetadata: { resource: url, authorization_servers: [issuer] },
      requiredScopes: ['mcp:read'],
      validateToken: () => (audience, token) => oauth.validateToken(audience, token, env),
      handler: {
        async fetch(request, _env, { auth }) {
          const body = await request.clone().text();
          const needed = body.includes('"write"') ? SCOPES : ['mcp:read'];
          if (!needed.every((scope) => auth.scope.includes(scope))) return insufficientScope(auth, needed);
          return mcp.fetch(request);
        },
      },
    });
    serve = async (request) => {
      if (request.url.startsWith(resource.origin)) return host.fetch(request, env, context as never);
      if (new URL(request.url).pathname !== '/authorize') return oauth.fetch(request, env, context as never);
      return authorize(request, oauth.getOAuthApi(env), options.asks ?? false);
    };
    return server;
  }

  /** The forms that came to the token endpoint, which revokes as well. */
  get tokenForms(): readonly URLSearchParams[] {
    return this.to('/oauth/token').map(({ body }) => new URLSearchParams(body));
  }

  to(path: string): readonly SeenRequest[] {
    return this.requests.entries.filter((request) => request.path === path);
  }

  /** A client with a secret, registered by somebody else than the bridge. */
  async registerConfidential(): Promise<{ readonly client_id: string; readonly client_secret: string }> {
    const body = JSON.stringify({
      client_name: 'by hand',
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${this.issuer}/oauth/register`, { method: 'POST', headers, body });
    return (await answer.json()) as { client_id: string; client_secret: string };
  }

  /** Access tokens end; the grants stay. */
  endAccessTokens(): void {
    this.env.OAUTH_KV.drop('token:');
  }

  endGrants(): void {
    this.endAccessTokens();
    this.env.OAUTH_KV.drop('grant:');
  }

  forgetClients(): void {
    this.env.OAUTH_KV.drop('client:');
  }

  /** Of the next requests to this path, carried out as ever, no answer arrives. */
  loseAnswers(path: string, count: number): void {
    this.#lost.set(path, count);
  }

  #isLost(path: string): boolean {
    const left = this.#lost.get(path) ?? 0;
    this.#lost.set(path, left - 1);
    return left > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#restoreFetch();
    for (const each of this.#listening) await each.close();
  }
}

/** The application's part, as the library's documentation has it. */
async function authorize(request: Request, oauth: OAuthHelpers, asks: boolean): Promise<Response> {
  const { AuthorizationError, CimdFetchError } = await loadWorkersOAuthProvider();
  try {
    if (request.method === 'POST') {
      const form = await request.formData();
      const handle = new URL(request.url).searchParams.get('handle') ?? '';
      if (form.get('answer') !== 'allow') {
        const { headers } = await oauth.denyConsent(request, handle);
        return new Response(null, { status: 302, headers });
      }
      const { request: asked, headers } = await oauth.approveConsent(request, handle, {
        scope: SCOPES.slice(0, 1),
      });
      headers.set('location', await complete(oauth, asked));
      return new Response(null, { status: 302, headers });
    }
    const asked = await oauth.parseAuthRequest(request);
    if (!asks) return Response.redirect(await complete(oauth, asked), 302);
    const { clientName, scope } = await oauth.describeConsent(asked);
    const { headers, handle } = await oauth.beginConsent(asked);
    headers.set('content-type', 'text/html; charset=utf-8');
    const action = `/authorize?handle=${encodeURIComponent(handle)}`;
    return new Response(consentPage({ clientName, action, scope: scope.join(' ') }), { headers });
  } catch (error) {
    if (error instanceof CimdFetchError) return new Response(error.message, { status: 400 });
    if (!(error instanceof AuthorizationError)) throw error;
    if (error.redirectTo) return Response.redirect(error.redirectTo, 302);
    return new Response(error.description, { status: 400 });
  }
}

async function complete(oauth: OAuthHelpers, request: AuthRequest): Promise<string> {
  const person = { userId: 'person', metadata: {}, props: {} };
  return (await oauth.completeAuthorization({ ...person, request, scope: request.scope })).redirectTo;
}

function features(): McpServer {
  const server = new McpServer({ name: 'workers-peer', version: '1.0.0' });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('echo', { inputSchema: z.object({ value: z.string() }) }, ({ value }) => text(value));
  server.registerTool('write', { inputSchema: z.object({}) }, () => text('written'));
  return server;
}

/** The library asks the web with the global `fetch`: these addresses are answered here, all others as ever. */
function routeFetch(web: Readonly<Record<string, unknown>>): () => void {
  const real = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const address = input instanceof Request ? input.url : String(input);
    return Object.hasOwn(web, address) ? Response.json(web[address]) : real(input, init);
  };
  return () => {
    globalThis.fetch = real;
  };
}
