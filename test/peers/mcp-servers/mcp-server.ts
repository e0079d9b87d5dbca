import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import type { OAuthTokenVerifier } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { OAuthMetadata } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import express, { type Express, type Request } from 'express';
import { applyFault, type Fault, FaultPlan, type SeenRequest, seenRequest } from '../faults/faults.ts';
import { Journal } from '../net/journal.ts';
import { type Listening, listen, readBody } from '../net/listening.ts';
import { HeldCalls } from './mcp-calls.ts';
import { OrderedEventStore } from './mcp-event-store.ts';
import { createFeatures } from './mcp-features.ts';

/** Who issues the tokens that a protected server accepts. */
export interface TokenAuthority {
  metadata(): Promise<Record<string, unknown>>;
  readonly tokens: OAuthTokenVerifier;
}

export interface McpServerOptions {
  /** False: no session id, a new server for each request. */
  readonly stateful?: boolean;
  /** True: JSON replies; false: event streams. */
  readonly json?: boolean;
  readonly path?: string;
  readonly authority?: TokenAuthority;
  readonly requiredScopes?: readonly string[];
  readonly scopesSupported?: readonly string[];
  /** Events get ids and are kept for `Last-Event-ID`. */
  readonly resumable?: boolean;
  readonly retryIntervalMs?: number;
  readonly instructions?: string;
  /** Before each answer. */
  readonly latencyMs?: number;
}

export type McpEvent =
  | { readonly kind: 'session-opened' | 'session-lost' | 'session-closed'; readonly session: string }
  | { readonly kind: 'stream-opened' | 'stream-closed' }
  | { readonly kind: 'subscribed' | 'unsubscribed'; readonly uri: string };

interface Session {
  readonly server: McpServer;
  readonly transport: StreamableHTTPServerTransport;
}

/** The official SDK's server over Streamable HTTP, protected or not, that can be made to misbehave while it runs. */
export class PeerMcpServer implements AsyncDisposable {
  readonly requests = new Journal<SeenRequest>();
  /** Whole answers: those of open streams come when the stream ends. */
  readonly answers = new Journal<{
    readonly method: string;
    readonly path: string;
    readonly status: number;
  }>();
  readonly events = new Journal<McpEvent>();
  readonly calls = new HeldCalls();
  readonly #options: McpServerOptions;
  readonly #plan = new FaultPlan();
  readonly #sessions = new Map<string, Session>();
  #listening: Listening | undefined;
  #app: Express | undefined;
  #port = 0;

  constructor(options: McpServerOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#options.path ?? '/mcp'}`;
  }

  get counters() {
    const kind = (name: McpEvent['kind']) => this.events.count((event) => event.kind === name);
    return {
      initializes: this.methodCount('initialize'),
      posts: this.requests.count((request) => request.method === 'POST'),
      unauthorized: this.answers.count(({ status }) => status === 401),
      sessionsOpened: kind('session-opened'),
      sessionsClosed: kind('session-closed'),
      streamsOpened: kind('stream-opened'),
      streamsOpen: kind('stream-opened') - kind('stream-closed'),
    };
  }

  /** How many messages of a method arrived, refused ones included. */
  methodCount(method: string): number {
    return this.requests.count((request) => methodsOf(request).includes(method));
  }

  /** Treats what matches (by default every POST) so, from now on or the next `times` times. */
  fail(fault: Fault, matches: (request: SeenRequest) => boolean = isPost, times?: number): void {
    this.#plan.add(fault, matches, times);
  }

  heal(): void {
    this.#plan.clear();
  }

  /** As after a restart: session ids are unknown (404), streams are closed. */
  async loseSessions(): Promise<void> {
    for (const [session, { transport }] of [...this.#sessions]) {
      this.#sessions.delete(session);
      this.events.add({ kind: 'session-lost', session });
      await transport.close();
    }
  }

  /** The servers of the live sessions, to send notifications from. */
  get servers(): readonly McpServer[] {
    return [...this.#sessions.values()].map(({ server }) => server);
  }

  async start(): Promise<this> {
    this.#listening = await listen((request, response) => {
      // A client that was killed in mid-request.
      this.#serve(request, response).catch((error) => response.destroy(error));
    }, this.#port);
    this.#port = this.#listening.port;
    this.#app ??= await this.#createApp();
    return this;
  }

  /** Connections break, the port refuses, sessions are lost. */
  async stop(): Promise<void> {
    await this.#listening?.close();
    this.#listening = undefined;
    await this.loseSessions();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const seen = seenRequest(request, body);
    this.requests.add(seen);
    const { method, path } = seen;
    response.once('finish', () => this.answers.add({ method, path, status: response.statusCode }));
    const fault = this.#plan.take(seen);
    if (fault !== undefined && !(await applyFault(fault, request, response))) return;
    if (this.#options.latencyMs !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, this.#options.latencyMs));
    }
    (request as Request).body = body;
    this.#app?.(request as Request, response as express.Response);
  }

  async #createApp(): Promise<Express> {
    const app = express();
    const url = new URL(this.url);
    const { authority, requiredScopes, scopesSupported } = this.#options;
    if (authority !== undefined) {
      app.use(
        mcpAuthMetadataRouter({
          oauthMetadata: (await authority.metadata()) as OAuthMetadata,
          resourceServerUrl: url,
          ...(scopesSupported === undefined ? {} : { scopesSupported: [...scopesSupported] }),
        }),
      );
      const protect = requireBearerAuth({
        verifier: authority.tokens,
        requiredScopes: [...(requiredScopes ?? [])],
        resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(url),
        expectedResource: url,
      });
      app.use(url.pathname, protect);
    }
    app.all(url.pathname, (request, response) =>
      this.#options.stateful === false
        ? this.#handleStateless(request, response)
        : this.#handle(request, response),
    );
    return app;
  }

  async #handle(request: Request, response: express.Response): Promise<void> {
    const id = request.header('mcp-session-id');
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (id !== undefined && session === undefined) {
      refuse(response, 404, -32001, 'Session not found');
      return;
    }
    if (request.method === 'GET') {
      this.events.add({ kind: 'stream-opened' });
      response.once('close', () => this.events.add({ kind: 'stream-closed' }));
    }
    const body = parseBody(request, response);
    if (body === INVALID) return;
    await (session ?? (await this.#open())).transport.handleRequest(request, response, body);
  }

  async #handleStateless(request: Request, response: express.Response): Promise<void> {
    if (request.method !== 'POST') {
      refuse(response.setHeader('allow', 'POST'), 405, -32000, 'Method not allowed');
      return;
    }
    const body = parseBody(request, response);
    if (body === INVALID) return;
    const server = this.#features();
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: this.#options.json ?? false,
    });
    await server.connect(transport as Transport);
    response.once('close', () => void transport.close());
    await transport.handleRequest(request, response, body);
  }

  /** A session that becomes known when its `initialize` has been answered. */
  async #open(): Promise<Session> {
    const { json, resumable, retryIntervalMs } = this.#options;
    const server = this.#features();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      enableJsonResponse: json ?? false,
      onsessioninitialized: (session) => {
        this.#sessions.set(session, { server, transport });
        this.events.add({ kind: 'session-opened', session });
      },
      onsessionclosed: (session) => {
        this.#sessions.delete(session);
        this.events.add({ kind: 'session-closed', session });
      },
      ...(resumable ? { eventStore: new OrderedEventStore() } : {}),
      ...(retryIntervalMs === undefined ? {} : { retryInterval: retryIntervalMs }),
    });
    await server.connect(transport as Transport);
    return { server, transport };
  }

  #features(): McpServer {
    const { instructions } = this.#options;
    return createFeatures({
      calls: this.calls,
      json: this.#options.json ?? false,
      onSubscribe: (uri, subscribed) =>
        this.events.add({ kind: subscribed ? 'subscribed' : 'unsubscribed', uri }),
      ...(instructions === undefined ? {} : { instructions }),
    });
  }
}

const INVALID = Symbol('no JSON');

function parseBody(request: Request, response: express.Response): unknown {
  if (request.method !== 'POST') return undefined;
  try {
    return JSON.parse((request.body as Buffer).toString('utf8'));
  } catch {
    refuse(response, 400, -32700, 'Parse error');
    return INVALID;
  }
}

function refuse(response: express.Response, status: number, code: number, message: string): void {
  response.status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
}

export function isPost(request: SeenRequest): boolean {
  return request.method === 'POST';
}

export function isGet(request: SeenRequest): boolean {
  return request.method === 'GET';
}

/** Matches POSTs that carry a message of this method. */
export function carries(method: string): (request: SeenRequest) => boolean {
  return (request) => methodsOf(request).includes(method);
}

function methodsOf(request: SeenRequest): string[] {
  if (request.method !== 'POST') return [];
  try {
    const messages = [JSON.parse(request.body)].flat() as { method?: string }[];
    return messages.flatMap((message) => message.method ?? []);
  } catch {
    return [];
  }
}

export function startMcpServer(options: McpServerOptions = {}): Promise<PeerMcpServer> {
  return new PeerMcpServer(options).start();
}
