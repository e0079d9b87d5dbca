import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import type { OAuthMetadata } from '@modelcontextprotocol/sdk/shared/auth.js';
import express from 'express';
import { type Listening, listen } from '../net/listening.ts';
import { HeldCalls } from './mcp-calls.ts';
import { createFeatures } from './mcp-features.ts';
import type { TokenAuthority } from './mcp-server.ts';

/** The SDK 1.x over HTTP+SSE (2024-11-05), with all that it offers, protected where it has an authority. */
export class SdkSseServer implements AsyncDisposable {
  readonly calls = new HeldCalls();
  readonly #sessions = new Map<string, SSEServerTransport>();
  #listening: Listening | undefined;

  static async start(authority?: TokenAuthority): Promise<SdkSseServer> {
    const server = new SdkSseServer();
    const app = express();
    server.#listening = await listen((request, response) => app(request as never, response as never));
    if (authority !== undefined) {
      const url = new URL(server.url);
      const oauthMetadata = (await authority.metadata()) as OAuthMetadata;
      app.use(mcpAuthMetadataRouter({ oauthMetadata, resourceServerUrl: url }));
      const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(url);
      app.use(requireBearerAuth({ verifier: authority.tokens, resourceMetadataUrl, expectedResource: url }));
    }
    app.use((request, response) => server.#serve(request, response));
    return server;
  }

  get url(): string {
    return `${this.#listening?.origin}/sse`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET' && url.pathname === '/sse') {
      const transport = new SSEServerTransport('/messages', response);
      this.#sessions.set(transport.sessionId, transport);
      await createFeatures({ calls: this.calls, json: false }).connect(transport);
      return;
    }
    const session = this.#sessions.get(url.searchParams.get('sessionId') ?? '');
    if (request.method === 'POST' && session !== undefined) {
      await session.handlePostMessage(request, response);
    } else response.writeHead(404).end('Not found');
  }
}
