import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider, { type ClientMetadata, type Configuration } from 'oidc-provider';
import type { AuthorizationServerStorage } from './authorization-server-storage.ts';

/** What few authorization servers are asked for. */
export interface ProviderExtras {
  /** RFC 8628. */
  readonly deviceFlow?: boolean;
  /** RFC 9126 §5: it is offered anyway; true: nothing else is taken. */
  readonly requirePushed?: boolean;
  /** RFC 6749 §4.4. */
  readonly clientCredentials?: boolean;
  /** RFC 9449; a proof without a nonce is refused. */
  readonly dpop?: boolean;
  /** Registered by hand. */
  readonly clients?: readonly ClientMetadata[];
}

export interface ProviderSettings {
  readonly extras: ProviderExtras;
  readonly issuer: string;
  /** The issuer's path, '' at the root. */
  readonly mountPath: string;
  readonly scopes: readonly string[];
  readonly storage: AuthorizationServerStorage;
  readonly registration: boolean;
  readonly tokenFormat: 'opaque' | 'jwt';
  rotates(): boolean;
  accessTokenTtlSeconds(): number;
  acceptsResource(resource: string): boolean;
}

const DAY_SECONDS = 86_400;

/** oidc-provider as a strict authorization server for native public clients; everything it would warn about is set. */
export function createProvider(settings: ProviderSettings): Provider {
  const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const {
    deviceFlow = false,
    requirePushed = false,
    clientCredentials = false,
    dpop = false,
    clients = [],
  } = settings.extras;
  const configuration: Configuration = {
    clients: [...clients],
    adapter: (model: string) => settings.storage.adapter(model),
    jwks: { keys: [{ ...signingKey, alg: 'ES256', use: 'sig', kid: 'one' } as never] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: [...settings.scopes, 'openid', 'offline_access'],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: settings.registration },
      deviceFlow: { enabled: deviceFlow },
      clientCredentials: { enabled: clientCredentials },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: requirePushed },
      dPoP: { enabled: dpop, nonceSecret: randomBytes(32), requireNonce: () => true },
      revocation: { enabled: true, allowedPolicy: async () => true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_context, _client, oneOf) => oneOf as never,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_context, resource) => {
          if (!settings.acceptsResource(resource)) {
            const { errors } = await import('oidc-provider');
            throw new errors.InvalidTarget();
          }
          return {
            scope: settings.scopes.join(' '),
            audience: resource,
            accessTokenTTL: settings.accessTokenTtlSeconds(),
            accessTokenFormat: settings.tokenFormat,
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
    clientBasedCORS: () => false,
    conformIdTokenClaims: false,
    expiresWithSession: async () => false,
    // RFC 6749 §1.5: to whoever asks for the grant, without `offline_access`.
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: async () => settings.rotates(),
    findAccount: async (_context, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    interactions: {
      url: async (_context, interaction) => `${settings.mountPath}/interaction/${interaction.uid}`,
    },
    renderError: async (context, out) => {
      context.type = 'text/plain';
      context.body = Object.entries(out)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n');
    },
    ttl: {
      AccessToken: () => settings.accessTokenTtlSeconds(),
      AuthorizationCode: 60,
      ClientCredentials: () => settings.accessTokenTtlSeconds(),
      DeviceCode: 600,
      Grant: DAY_SECONDS,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: DAY_SECONDS,
      Session: DAY_SECONDS,
    },
  };
  return new Provider(settings.issuer, configuration);
}
