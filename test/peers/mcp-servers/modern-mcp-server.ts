import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createMcpHandler,
  inputRequired,
  type McpHttpHandler,
  McpServer,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { Journal } from '../net/journal.ts';
import { type Listening, listen, readBody } from '../net/listening.ts';
import { sendWebResponse, webRequest } from '../net/web-standard.ts';
import { HeldCalls } from './mcp-calls.ts';

export interface ModernServerOptions {
  /** What it does with hosts of 2025: nothing, unless it serves both. */
  readonly legacy?: 'stateless' | 'reject';
  readonly responseMode?: 'auto' | 'sse';
}

export interface ModernRequestSeen {
  readonly httpMethod: string;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent.
  readonly body: any;
}

type Answer = (request: ModernRequestSeen, response: ServerResponse) => boolean;

/** A server of revision 2026-07-28 made of the SDK 2.x, with one of everything that crosses the eras. */
export class ModernMcpServer implements AsyncDisposable {
  readonly requests = new Journal<ModernRequestSeen>();
  /** The JSON-RPC method of each response stream that its client closed before the end. */
  readonly dropped = new Journal<string>();
  readonly calls = new HeldCalls();
  readonly #handler: McpHttpHandler;
  readonly #listening: Listening;
  #intercept: Answer | undefined;

  private constructor(handler: (server: ModernMcpServer) => McpHttpHandler, listening: Listening) {
    this.#listening = listening;
    this.#handler = handler(this);
  }

  static async start(options: ModernServerOptions = {}): Promise<ModernMcpServer> {
    let serve: (request: IncomingMessage, response: ServerResponse) => Promise<void> = async () => {};
    const listening = await listen((request, response) => void serve(request, response));
    const server = new ModernMcpServer(
      (self) =>
        createMcpHandler(() => self.#features(), {
          legacy: options.legacy ?? 'reject',
          responseMode: options.responseMode ?? 'auto',
        }),
      listening,
    );
    serve = (request, response) => server.#serve(request, response);
    return server;
  }

  get url(): string {
    return `${this.#listening.origin}/mcp`;
  }

  get notify(): McpHttpHandler['notify'] {
    return this.#handler.notify;
  }

  /** The requests of one JSON-RPC method. */
  of(method: string): ModernRequestSeen[] {
    return this.requests.entries.filter(({ body }) => body?.method === method);
  }

  /** Answers in place of the SDK where `answer` returns true. */
  intercept(answer: Answer): void {
    this.#intercept = answer;
  }

  /** Breaks all connections; the next are served again. */
  breakConnections(): void {
    this.#listening.server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handler.close();
    await this.#listening.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await readBody(request);
    const body = bytes.length === 0 ? undefined : JSON.parse(bytes.toString('utf8'));
    const seen = { httpMethod: request.method ?? '', headers: request.headers, body };
    this.requests.add(seen);
    if (this.#intercept?.(seen, response)) return;
    const gone = new AbortController();
    response.once('close', () => {
      if (response.writableFinished) return;
      this.dropped.add(body?.method);
      gone.abort();
    });
    const answer = await this.#handler.fetch(webRequest(request, this.url, bytes, gone.signal));
    sendWebResponse(answer, response);
  }

  #features(): McpServer {
    const server = new McpServer(
      { name: 'modern-peer', version: '2.0.0' },
      {
        instructions: 'Ask nicely.',
        capabilities: {
          logging: {},
          tools: { listChanged: true },
          resources: { subscribe: true, listChanged: true },
          prompts: { listChanged: true },
        },
      },
    );
    const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
    server.registerTool('echo', { inputSchema: z.object({ value: z.unknown() }) }, ({ value }, context) => ({
      ...text(JSON.stringify(value)),
      _meta: { got: context.mcpReq._meta ?? {} },
    }));
    server.registerTool('slow', { inputSchema: z.object({ name: z.string() }) }, async ({ name }, context) =>
      text(await this.calls.hold(name, context.mcpReq.signal)),
    );
    server.registerTool(
      'progress',
      { inputSchema: z.object({ steps: z.number() }) },
      async ({ steps }, context) => {
        const progressToken = context.mcpReq._meta?.progressToken;
        for (let progress = 1; progress <= steps && progressToken !== undefined; progress++) {
          await context.mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress, total: steps },
          });
        }
        return text(`${steps} steps`);
      },
    );
    server.registerTool('log', { inputSchema: z.object({ data: z.string() }) }, async ({ data }, context) => {
      await context.mcpReq.log('warning', data, 'peer');
      return text('logged');
    });
    // Asks for a name, then for a place, and carries the name in its state: two rounds.
    server.registerTool('ask', {}, (context) => {
      const { inputResponses, requestState } = context.mcpReq;
      const answers = inputResponses as Record<string, { content?: Record<string, string> }> | undefined;
      const field = (name: string) => ({
        type: 'object' as const,
        properties: { [name]: { type: 'string' as const } },
      });
      if (answers?.place !== undefined) {
        return text(`${String(requestState())} in ${answers.place.content?.place}`);
      }
      if (answers?.name !== undefined) {
        const requestedSchema = field('place');
        return inputRequired({
          inputRequests: { place: inputRequired.elicit({ message: 'Where?', requestedSchema }) },
          requestState: `${answers.name.content?.name} \u00e9"\\ `,
        });
      }
      const requestedSchema = field('name');
      return inputRequired({
        inputRequests: { name: inputRequired.elicit({ message: 'Who?', requestedSchema }) },
      });
    });
    server.registerPrompt('greet', { argsSchema: z.object({ place: z.string() }) }, ({ place }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Hello, ${place}` } }],
    }));
    server.registerResource('note', 'note://one', { mimeType: 'text/plain' }, (uri) => ({
      contents: [{ uri: uri.href, text: 'first note' }],
    }));
    return server;
  }
}
