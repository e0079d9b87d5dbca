import { createOAuthMetadata, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import express from 'express';
import type { SeenRequest } from '../faults/faults.ts';
import { Journal } from '../net/journal.ts';
import { type Listening, listen } from '../net/listening.ts';
import { type ProviderEvent, SdkAuthorizationProvider } from './sdk-authorization-provider.ts';

export interface SdkAuthorizationServerOptions {
  readonly consent?: 'auto' | 'page';
  readonly accessTokenTtlSeconds?: number;
  readonly scopesSupported?: readonly string[];
}

const NO_LIMIT = { rateLimit: false } as const;

/** An authorization server made of the official SDK's own router. */
export class SdkAuthorizationServer implements AsyncDisposable {
  readonly provider: SdkAuthorizationProvider;
  /** Method and path of all that was asked. */
  readonly requests = new Journal<Pick<SeenRequest, 'method' | 'path'>>();
  readonly #listening: Listening;
  readonly #scopesSupported: readonly string[];

  constructor(listening: Listening, provider: SdkAuthorizationProvider, scopes: readonly string[]) {
    this.#listening = listening;
    this.provider = provider;
    this.#scopesSupported = scopes;
  }

  get issuer(): URL {
    return new URL(this.#listening.origin);
  }

  get tokens() {
    return this.provider.tokens;
  }

  get counters() {
    const kind = (name: ProviderEvent) => this.provider.events.count((event) => event === name);
    return {
      metadataRequests: this.requests.count((request) => request.path.includes('/.well-known/')),
      registrations: kind('registered'),
      pagesOpened: kind('asked'),
      allowed: kind('allowed'),
      denied: kind('denied'),
      codeExchanges: kind('exchanged'),
      refreshes: kind('refreshed'),
      replays: kind('replayed'),
      revocations: kind('revoked'),
    };
  }

  async metadata(): Promise<Record<string, unknown>> {
    return createOAuthMetadata({
      provider: this.provider,
      issuerUrl: this.issuer,
      scopesSupported: [...this.#scopesSupported],
    });
  }

  close(): Promise<void> {
    return this.#listening.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export async function startSdkAuthorizationServer(
  options: SdkAuthorizationServerOptions = {},
): Promise<SdkAuthorizationServer> {
  const { consent = 'auto', accessTokenTtlSeconds = 3600, scopesSupported = ['mcp:tools'] } = options;
  const provider = new SdkAuthorizationProvider({ consent, accessTokenTtlSeconds });
  const app = express();
  const listening = await listen(app);
  const server = new SdkAuthorizationServer(listening, provider, scopesSupported);
  app.use((request, _response, next) => {
    server.requests.add({ method: request.method, path: request.path });
    next();
  });
  app.post('/consent', express.urlencoded({ extended: false }), (request, response) => {
    const answer = String(request.body?.answer ?? 'deny');
    try {
      response.redirect(303, provider.decide(String(request.query.request), answer));
    } catch (error) {
      response.status(410).type('text').send(String(error));
    }
  });
  app.use(
    mcpAuthRouter({
      provider,
      issuerUrl: server.issuer,
      scopesSupported: [...scopesSupported],
      authorizationOptions: NO_LIMIT,
      tokenOptions: NO_LIMIT,
      revocationOptions: NO_LIMIT,
      clientRegistrationOptions: NO_LIMIT,
    }),
  );
  return server;
}
