import { SignInNeededError } from '../../auth/errors/errors.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { OAuthProvider } from '../interface/provider-interface.ts';

export interface ProviderDeps {
  readonly server: URL;
  readonly scope: string | undefined;
  readonly token: () => Promise<string | undefined>;
  /** Replaces the last token. Rejects with SignInNeededError if only a person can help. */
  readonly renew: () => Promise<unknown>;
}

/** Nothing is registered under this name, and nothing is sent with it. */
const CLIENT_ID = 'mcp-drawbridge';
/** No listener is there: the sign-in listens at another address. */
const REDIRECT_URL = 'http://127.0.0.1/callback';
/**
 * A token endpoint's response, without a request. After a 401 the SDK wants to obtain a token itself, and requests the necessary data from the provider. By
 * then the token has been obtained; `tokens` returns it, and this one is never sent anywhere.
 */
const TOKEN_ENDPOINT = 'data:application/json,{"access_token":"see-tokens","token_type":"Bearer"}';

/**
 * The provider for programs that accept nothing else. For each request, the SDK calls `tokens`; after a 401 `discoveryState`, then `redirectUrl`, and then
 * either `prepareTokenRequest` and the token endpoint (there is a token), or `redirectToAuthorization` (a sign-in is needed), after which it throws its
 * UnauthorizedError.
 */
export class LoginProvider implements OAuthProvider {
  readonly #deps: ProviderDeps;
  #isPersonNeeded = false;

  constructor(deps: ProviderDeps) {
    this.#deps = deps;
  }

  /** Undefined: for the SDK, this is a grant without a sign-in. */
  get redirectUrl(): string | undefined {
    return this.#isPersonNeeded ? REDIRECT_URL : undefined;
  }

  get clientMetadata(): { redirect_uris: string[]; client_name: string; scope?: string } {
    const { scope } = this.#deps;
    return { redirect_uris: [], client_name: CLIENT_ID, ...withoutUndefined({ scope }) };
  }

  clientInformation(): { client_id: string } {
    return { client_id: CLIENT_ID };
  }

  async tokens(): Promise<{ access_token: string; token_type: string } | undefined> {
    const token = await this.#deps.token();
    return token === undefined ? undefined : { access_token: token, token_type: 'Bearer' };
  }

  async discoveryState(): ReturnType<OAuthProvider['discoveryState']> {
    const { server, renew } = this.#deps;
    try {
      await renew();
      this.#isPersonNeeded = false;
    } catch (error) {
      if (!(error instanceof SignInNeededError)) throw error;
      this.#isPersonNeeded = true;
    }
    const { origin, href } = server;
    return {
      authorizationServerUrl: origin,
      resourceMetadata: { resource: href, authorization_servers: [origin] },
      authorizationServerMetadata: {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: TOKEN_ENDPOINT,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
      },
    };
  }

  prepareTokenRequest(): URLSearchParams {
    return new URLSearchParams({ grant_type: 'client_credentials' });
  }

  codeVerifier(): string {
    return '';
  }

  redirectToAuthorization(): void {}
  saveClientInformation(): void {}
  saveTokens(): void {}
  saveCodeVerifier(): void {}
  saveDiscoveryState(): void {}
  invalidateCredentials(): void {}
}
