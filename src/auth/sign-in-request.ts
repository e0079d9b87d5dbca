import type { CallbackAddress, ConfiguredClient, DpopMode } from '../protocol/oauth-settings.ts';
import type { BearerChallenge } from '../protocol/www-authenticate.ts';

/** What a sign-in process is told, as JSON on its stdin, which nobody else reads: it may hold the secret of a client that the user named. */
export interface SignInRequest {
  readonly key: string;
  /** The lease's nonce: who knows it may become the lease's owner. */
  readonly nonce: string;
  readonly server: string;
  readonly profile?: string | undefined;
  /** The user's `--resource`. */
  readonly resource?: string | undefined;
  readonly challenge: BearerChallenge;
  /** The user's `--scope`. */
  readonly scope?: string | undefined;
  /** `device_code`: somebody signs in elsewhere; no listener, no browser. */
  readonly grant?: 'authorization_code' | 'device_code' | undefined;
  readonly client?: ConfiguredClient | undefined;
  readonly clientMetadataUrl?: string | undefined;
  readonly noResource?: boolean | undefined;
  /** The user's `--issuer`. */
  readonly issuer?: string | undefined;
  /** `{tenantid}` in an issuer stands for the tenant (src/auth/README.md, "Entra ID"). */
  readonly tenantIssuer?: boolean | undefined;
  /** The scope goes with the token request as well (src/auth/README.md, "Entra ID"). */
  readonly scopeOnTokenRequests?: boolean | undefined;
  /** The resource goes out as `audience` as well (src/auth/README.md, "Auth0"). */
  readonly audienceFromResource?: boolean | undefined;
  readonly useIdToken?: boolean | undefined;
  /** The user's `--dpop`; absent: where it is asked for. */
  readonly dpop?: DpopMode | undefined;
  readonly authorizeParams?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Asked for more than the last sign-in: when that happened before, milliseconds since the epoch. */
  readonly stepUps?: readonly number[] | undefined;
  /** The user's `--header`s, for the server's own metadata. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly allowHttp: boolean;
  readonly assumePkce: boolean;
  readonly caFile?: string | undefined;
  /** The user's `--cert` and `--key`, for the server's own origin: the files, which the process reads itself. */
  readonly clientCertificate?: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly home?: string | undefined;
  readonly authTimeoutMs: number;
  readonly callback: CallbackAddress;
  readonly openBrowser: boolean;
  readonly debug: boolean;
}
