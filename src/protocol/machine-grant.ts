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
