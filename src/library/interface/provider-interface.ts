import type { Address } from './web-types.ts';

/** The used part of `OAuthClientProvider` of the MCP SDK 1.x: it is structurally compatible, so the package needs no SDK. */
export interface OAuthProvider {
  readonly redirectUrl: string | undefined;
  readonly clientMetadata: { redirect_uris: string[]; client_name: string; scope?: string };
  clientInformation(): { client_id: string };
  saveClientInformation(): void;
  /** The current access token, replaced if it has expired. It never comes with a refresh token, which the SDK would use. */
  tokens(): Promise<{ access_token: string; token_type: string } | undefined>;
  saveTokens(): void;
  /** The sign-in has been started by then, once for all processes; its address is the one passed to `onPrompt`, not this one. */
  redirectToAuthorization(address: Address): void;
  saveCodeVerifier(): void;
  codeVerifier(): string;
  invalidateCredentials(): void;
  /** After a 401: obtains another token, once for all processes, or starts the sign-in. */
  discoveryState(): Promise<{
    authorizationServerUrl: string;
    resourceMetadata: { resource: string; authorization_servers: string[] };
    authorizationServerMetadata: {
      issuer: string;
      authorization_endpoint: string;
      token_endpoint: string;
      response_types_supported: string[];
      code_challenge_methods_supported: string[];
      token_endpoint_auth_methods_supported: string[];
    };
  }>;
  saveDiscoveryState(): void;
  prepareTokenRequest(): Params;
}

/** A `URLSearchParams`. */
export type Params = typeof globalThis extends { URLSearchParams: { prototype: infer T } }
  ? T
  : { get(name: string): string | null };
