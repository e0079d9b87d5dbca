import { randomBytes } from 'node:crypto';
import type { OAuthRegisteredClientsStore } from '@modelcontextprotocol/sdk/server/auth/clients.js';
import { InvalidGrantError, InvalidRequestError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type {
  AuthorizationParams,
  OAuthServerProvider,
} from '@modelcontextprotocol/sdk/server/auth/provider.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import type {
  OAuthClientInformationFull,
  OAuthTokenRevocationRequest,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js';
import type { Response } from 'express';
import { Journal } from '../net/journal.ts';
import { consentPage } from './consent-page.ts';
import { IssuedTokens } from './issued-tokens.ts';

export interface SdkProviderOptions {
  /** auto: allowed at once; page: a person presses Allow or Deny. */
  readonly consent: 'auto' | 'page';
  readonly accessTokenTtlSeconds: number;
}

export type ProviderEvent =
  | 'registered'
  | 'asked'
  | 'allowed'
  | 'denied'
  | 'exchanged'
  | 'refreshed'
  | 'replayed'
  | 'revoked';

interface Grant {
  readonly id: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly resource: URL | undefined;
  revoked: boolean;
}

interface Code {
  readonly grant: Grant;
  readonly params: AuthorizationParams;
}

/** An authorization server behind the SDK's router: PKCE, rotation with reuse detection, all in memory. */
export class SdkAuthorizationProvider implements OAuthServerProvider {
  readonly events = new Journal<ProviderEvent>();
  readonly tokens = new IssuedTokens();
  readonly #options: SdkProviderOptions;
  readonly #clients = new Map<string, OAuthClientInformationFull>();
  readonly #asked = new Map<string, { client: OAuthClientInformationFull; params: AuthorizationParams }>();
  readonly #codes = new Map<string, Code>();
  readonly #refreshTokens = new Map<string, { grant: Grant; redeemed: boolean }>();

  constructor(options: SdkProviderOptions) {
    this.#options = options;
  }

  get clientsStore(): OAuthRegisteredClientsStore {
    return {
      getClient: (clientId) => this.#clients.get(clientId),
      registerClient: (client) => {
        const registered = client as OAuthClientInformationFull;
        this.#clients.set(registered.client_id, registered);
        this.events.add('registered');
        return registered;
      },
    };
  }

  async authorize(
    client: OAuthClientInformationFull,
    params: AuthorizationParams,
    response: Response,
  ): Promise<void> {
    const request = secret();
    this.#asked.set(request, { client, params });
    this.events.add('asked');
    if (this.#options.consent === 'auto') {
      response.redirect(302, this.decide(request, 'allow'));
      return;
    }
    response.type('html').send(
      consentPage({
        clientName: client.client_name ?? client.client_id,
        action: `/consent?request=${request}`,
        scope: params.scopes?.join(' ') ?? '',
      }),
    );
  }

  /** What the person answered → where their browser goes next. An answer counts once. */
  decide(request: string, answer: string): string {
    const asked = this.#asked.get(request);
    if (asked === undefined) throw new InvalidRequestError('this page was answered already');
    this.#asked.delete(request);
    const { client, params } = asked;
    const address = new URL(params.redirectUri);
    if (params.state !== undefined) address.searchParams.set('state', params.state);
    if (answer !== 'allow') {
      this.events.add('denied');
      address.searchParams.set('error', 'access_denied');
      return address.href;
    }
    const code = secret();
    const { scopes = [], resource } = params;
    const grant = { id: secret(), clientId: client.client_id, scopes, resource, revoked: false };
    this.#codes.set(code, { grant, params });
    this.events.add('allowed');
    address.searchParams.set('code', code);
    return address.href;
  }

  async challengeForAuthorizationCode(client: OAuthClientInformationFull, code: string): Promise<string> {
    return this.#code(client, code).params.codeChallenge;
  }

  async exchangeAuthorizationCode(
    client: OAuthClientInformationFull,
    code: string,
    _codeVerifier?: string,
    redirectUri?: string,
    resource?: URL,
  ): Promise<OAuthTokens> {
    const { grant, params } = this.#code(client, code);
    this.#codes.delete(code);
    if (redirectUri !== params.redirectUri) throw new InvalidGrantError('redirect_uri differs');
    if (resource?.href !== grant.resource?.href) throw new InvalidGrantError('resource differs');
    this.events.add('exchanged');
    return this.#issue(grant);
  }

  async exchangeRefreshToken(
    client: OAuthClientInformationFull,
    refreshToken: string,
    scopes?: string[],
    resource?: URL,
  ): Promise<OAuthTokens> {
    const known = this.#refreshTokens.get(refreshToken);
    if (known === undefined || known.grant.revoked || known.grant.clientId !== client.client_id) {
      throw new InvalidGrantError('unknown refresh token');
    }
    if (known.redeemed) {
      this.events.add('replayed');
      this.#revoke(known.grant);
      throw new InvalidGrantError('refresh token was used before');
    }
    if (resource !== undefined && resource.href !== known.grant.resource?.href) {
      throw new InvalidGrantError('resource differs');
    }
    if (scopes?.some((scope) => !known.grant.scopes.includes(scope))) {
      throw new InvalidGrantError('more scopes than were granted');
    }
    known.redeemed = true;
    this.events.add('refreshed');
    return this.#issue(known.grant);
  }

  verifyAccessToken(token: string): Promise<AuthInfo> {
    return this.tokens.verifyAccessToken(token);
  }

  async revokeToken(
    client: OAuthClientInformationFull,
    { token }: OAuthTokenRevocationRequest,
  ): Promise<void> {
    const refresh = this.#refreshTokens.get(token);
    if (refresh !== undefined && refresh.grant.clientId === client.client_id) this.#revoke(refresh.grant);
    else this.tokens.revoke(token);
    this.events.add('revoked');
  }

  #code(client: OAuthClientInformationFull, code: string): Code {
    const known = this.#codes.get(code);
    if (known === undefined || known.grant.clientId !== client.client_id) {
      throw new InvalidGrantError('unknown authorization code');
    }
    return known;
  }

  #issue(grant: Grant): OAuthTokens {
    const token = secret();
    const refreshToken = secret();
    const { accessTokenTtlSeconds } = this.#options;
    this.tokens.add({
      token,
      clientId: grant.clientId,
      scopes: grant.scopes,
      audience: grant.resource?.href,
      grantId: grant.id,
      expiresAt: Date.now() + accessTokenTtlSeconds * 1000,
    });
    this.#refreshTokens.set(refreshToken, { grant, redeemed: false });
    return {
      access_token: token,
      token_type: 'Bearer',
      expires_in: accessTokenTtlSeconds,
      refresh_token: refreshToken,
      scope: grant.scopes.join(' '),
    };
  }

  #revoke(grant: Grant): void {
    grant.revoked = true;
    this.tokens.revokeGrant(grant.id);
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}
