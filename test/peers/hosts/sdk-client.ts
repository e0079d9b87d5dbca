import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js';
import { visit } from '../browsers/browser-visit.ts';
import { type Listening, listen } from '../net/listening.ts';

/** The SDK client's own OAuth, with a browser that answers at once: tries the peers without a bridge between. */
export class DirectSignIn implements OAuthClientProvider {
  readonly #listening: Listening;
  readonly #answer: 'allow' | 'deny';
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';
  /** The address at which the browser ended up. */
  arrivedAt: URL | undefined;

  private constructor(listening: Listening, answer: 'allow' | 'deny') {
    this.#listening = listening;
    this.#answer = answer;
  }

  static async start(answer: 'allow' | 'deny' = 'allow'): Promise<DirectSignIn> {
    return new DirectSignIn(await listen((_request, response) => response.end('done')), answer);
  }

  get redirectUrl(): string {
    return `${this.#listening.origin}/callback`;
  }

  get clientMetadata(): OAuthClientMetadata & { application_type: string } {
    return {
      client_name: 'direct',
      application_type: 'native',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.#client;
  }

  saveClientInformation(client: OAuthClientInformationMixed): void {
    this.#client = client;
  }

  tokens(): OAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens;
  }

  async redirectToAuthorization(address: URL): Promise<void> {
    this.arrivedAt = new URL((await visit(address.href, { answer: this.#answer })).url);
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  close(): Promise<void> {
    return this.#listening.close();
  }
}
