import * as z from 'zod/mini';

/*
 * The settings of OAuth, in one place for all that pass them on: `config/` makes them of the options and the preset, `compose/` derives the
 * credential's key from them, and `auth/` signs in by them, in another process too, which reads them from JSON by the schema here. All but
 * that process import types only, so nobody loads zod for them.
 */

/** Read-only at each level: settings are checked once and passed on as they are. */
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
  /** As it is written in the redirect URI; the listener is on loopback in any case. */
  host: z.string().check(z.minLength(1)),
  /** Fixed by the user: no other port will do. */
  port: z.optional(z.int().check(z.minimum(1), z.maximum(65_535))),
  path: z.string().check(z.startsWith('/')),
});

/** Each setting of OAuth, once: the type and the check of the JSON form. */
export const oauthSettingsShape = {
  /** `--profile`: keeps apart the logins of several accounts at one server. */
  profile: z.string(),
  /** `--grant`. */
  grant: z.enum(['authorization_code', 'device_code', 'client_credentials', 'jwt-bearer', 'enterprise']),
  /** `--scope`. Absent: what the server asks for. */
  scope: z.optional(z.string()),
  /** `--resource` (RFC 8707): what is sent whatever the metadata names. It is no excuse for the metadata of another resource. */
  resource: z.optional(z.string()),
  /** `--no-resource`: none is sent, whatever the metadata names. */
  noResource: z.boolean(),
  /** The client that the user named, in place of a registration. No record holds its secrets. */
  client: z.optional(configuredClient),
  /** `--client-metadata-url`. */
  clientMetadataUrl: z.optional(z.string()),
  /** `--issuer`: no other authorization server will do, compared byte for byte. */
  issuer: z.optional(z.string()),
  /** `{tenantid}` in an issuer stands for the tenant (src/auth/README.md, "Entra ID"). */
  tenantIssuer: z.boolean(),
  /** `--assume-pkce`: metadata need not promise S256. */
  assumePkce: z.boolean(),
  /** The scope goes with each token request as well (src/auth/README.md, "Entra ID"). */
  scopeOnTokenRequests: z.boolean(),
  /** The authorization request names the resource as `audience` as well (src/auth/README.md, "Auth0"). */
  audienceFromResource: z.boolean(),
  /** `--use-id-token`: the server is shown the ID token instead of the access token. */
  useIdToken: z.boolean(),
  /** `--dpop` (RFC 9449). `auto`: where the server asks for it. */
  dpop: z.enum(['auto', 'always', 'never']),
  /** `--authorize-param` and the preset's: more parameters of the authorization request. */
  authorizeParams: z.array(z.tuple([z.string(), z.string()])),
  /** Where the browser comes back to. */
  callback: callbackAddress,
};

const oauthSettings = z.object(oauthSettingsShape);

/** How the login at one MCP server is asked for. */
export type OAuthSettings = Immutable<z.output<typeof oauthSettings>>;

/** The client that the user named; its secrets are in no record. */
export type ConfiguredClient = Immutable<z.output<typeof configuredClient>>;

export type CallbackAddress = OAuthSettings['callback'];

export type DpopMode = OAuthSettings['dpop'];

/** A grant that needs no person. The files are read each time that a token is wanted: whoever writes them renews them. */
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
