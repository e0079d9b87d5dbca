import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { type Listening, listen } from '../net/listening.ts';
import { HeldCalls } from './mcp-calls.ts';
import { createFeatures } from './mcp-features.ts';

/** The SDK 1.x over HTTP+SSE (2024-11-05), with all that it offers. */
export class SdkSseServer implements AsyncDisposable {
  readonly calls = new HeldCalls();
  readonly #sessions = new Map<string, SSEServerTransport>();
  #listening: Listening | undefined;

  static async start(): Promise<SdkSseServer> {
    const server = new SdkSseServer();
    server.#listening = await listen(async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (request.method === 'GET' && url.pathname === '/sse') {
        const transport = new SSEServerTransport('/messages', response);
        server.#sessions.set(transport.sessionId, transport);
        await createFeatures({ calls: server.calls, json: false }).connect(transport);
        return;
      }
      const session = server.#sessions.get(url.searchParams.get('sessionId') ?? '');
      if (request.method === 'POST' && session !== undefined) {
        await session.handlePostMessage(request, response);
      } else response.writeHead(404).end('Not found');
    });
    return server;
  }

  get url(): string {
    return `${this.#listening?.origin}/sse`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.close();
  }
}
