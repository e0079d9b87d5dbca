/**
 * OAuth grants that need no person, as the settings name them and `auth/` uses them; neither of these rooms may import the other. The
 * files are read each time a token is wanted: who writes them renews them.
 */
export type MachineGrant =
  | { readonly kind: 'client_credentials' }
  | { readonly kind: 'jwt-bearer'; readonly assertionFile: string }
  | {
      readonly kind: 'enterprise';
      readonly idTokenFile: string;
      readonly idpClientId: string;
      readonly idpClientSecret?: string;
      /** The text of `--idp-client-key`. */
      readonly idpSigningKey?: string;
      readonly idpTokenEndpoint: string;
    };

/** `--dpop`. */
export type DpopMode = 'auto' | 'always' | 'never';

/** The client that the user named, in place of a registration; its secrets are in no record. */
export interface ConfiguredClient {
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  /** The text of `--client-key`. */
  readonly signingKey?: string | undefined;
  readonly signingAlg?: string | undefined;
  /** Which option the key came from. */
  readonly keyOption?: string | undefined;
}

export interface CallbackAddress {
  /** As written in the redirect URI; the listener is on loopback whatever it reads. */
  readonly host: string;
  /** Fixed by the user: nothing else will do. */
  readonly port?: number | undefined;
  readonly path: string;
}
