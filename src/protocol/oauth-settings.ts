import * as z from 'zod/mini';

/*
 * The OAuth settings in one place: `config/` makes them from the options and the preset, `compose/` derives the credential's key from them, and
 * `auth/` signs in with them. The sign-in process reads them from JSON with the schema here; all other code imports only the types and so does
 * not load zod.
 */

/** `T`, read-only at every level: settings are checked once and never changed. */
export type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;

const configuredClient = z.object({
  clientId: z.string(),
  clientSecret: z.optional(z.string()),
  /** The text of `--client-key`. */
  signingKey: z.optional(z.string()),
  /** `--client-key-alg`: the `alg` of RFC 7518 §3.1. */
  signingAlg: z.optional(z.string()),
});

const callbackAddress = z.object({
  /** As written in the redirect URI; the listener binds to loopback in any case. */
  host: z.string().check(z.minLength(1)),
  /** The port that the user fixed; absent: any free port. */
  port: z.optional(z.int().check(z.minimum(1), z.maximum(65_535))),
  path: z.string().check(z.startsWith('/')),
});

/** Every OAuth setting, for the type and for checking the JSON form. */
export const oauthSettingsShape = {
  /** `--profile`: keeps apart the logins of several accounts at one server. */
  profile: z.string(),
  /** `--grant`. */
  grant: z.enum(['authorization_code', 'device_code', 'client_credentials', 'jwt-bearer', 'enterprise']),
  /** `--scope`; absent: the scope that the server asks for. */
  scope: z.optional(z.string()),
  /** `--resource` (RFC 8707): sent instead of the resource in the metadata. The metadata must still be that of the server. */
  resource: z.optional(z.string()),
  /** `--no-resource`: no resource is sent, even if the metadata has one. */
  noResource: z.boolean(),
  /** The client that the user configured, instead of a registration. Its secrets are never stored in a record. */
  client: z.optional(configuredClient),
  /** `--client-metadata-url`. */
  clientMetadataUrl: z.optional(z.string()),
  /** `--issuer`: the only acceptable authorization server, compared byte for byte. */
  issuer: z.optional(z.string()),
  /** `{tenantid}` in an issuer is a placeholder for the tenant (src/auth/README.md, "Entra ID"). */
  tenantIssuer: z.boolean(),
  /** `--assume-pkce`: the metadata need not list S256. */
  assumePkce: z.boolean(),
  /** Token requests contain the scope too (src/auth/README.md, "Entra ID"). */
  scopeOnTokenRequests: z.boolean(),
  /** The authorization request contains the resource as `audience` too (src/auth/README.md, "Auth0"). */
  audienceFromResource: z.boolean(),
  /** `--use-id-token`: requests to the server carry the ID token instead of the access token. */
  useIdToken: z.boolean(),
  /** `--dpop` (RFC 9449). `auto`: only if the server asks for it. */
  dpop: z.enum(['auto', 'always', 'never']),
  /** Additional parameters of the authorization request, from `--authorize-param` and the preset. */
  authorizeParams: z.array(z.tuple([z.string(), z.string()])),
  /** The redirect URI. */
  callback: callbackAddress,
};

const oauthSettings = z.object(oauthSettingsShape);

/** The OAuth settings for one MCP server. */
export type OAuthSettings = Immutable<z.output<typeof oauthSettings>>;

/** The client that the user configured; its secrets are never stored in a record. */
export type ConfiguredClient = Immutable<z.output<typeof configuredClient>>;

/** The parts of the redirect URI. */
export type CallbackAddress = OAuthSettings['callback'];

/** The values of `--dpop`. */
export type DpopMode = OAuthSettings['dpop'];

/** A grant that needs no person. The files are read for each token request, since another program may renew them. */
export type MachineGrant =
  | { readonly kind: 'client_credentials' }
  | { readonly kind: 'jwt-bearer'; readonly assertionFile: string }
  | {
      readonly kind: 'enterprise';
      readonly idTokenFile: string;
      readonly idpClientId: string;
      readonly idpClientSecret?: string | undefined;
      /** The text of `--idp-client-key`. */
      readonly idpSigningKey?: string | undefined;
      readonly idpTokenEndpoint: string;
    };
