import * as z from 'zod/mini';
import type { BearerChallenge } from './challenge.ts';
import type { DpopMode } from './dpop-choice.ts';
import { SignInFailedError } from './sign-in-errors.ts';
import type { ConfiguredClient } from './token-client.ts';

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
  /** `{tenantid}` in an issuer stands for the tenant (QUIRKS, Entra ID). */
  readonly tenantIssuer?: boolean | undefined;
  /** The scope goes with the token request as well (QUIRKS, Entra ID). */
  readonly scopeOnTokenRequests?: boolean | undefined;
  /** The resource goes out as `audience` as well (QUIRKS, Auth0). */
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
  readonly home?: string | undefined;
  readonly authTimeoutMs: number;
  readonly callback: CallbackAddress;
  readonly openBrowser: boolean;
  readonly debug: boolean;
}

export interface CallbackAddress {
  /** As written in the redirect URI; the listener is on loopback whatever it reads. */
  readonly host: string;
  /** Fixed by the user: nothing else will do. */
  readonly port?: number | undefined;
  readonly path: string;
}

const schema = z.object({
  key: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  nonce: z.string().check(z.minLength(1)),
  server: z.url(),
  profile: z.optional(z.string()),
  resource: z.optional(z.string()),
  challenge: z.object({
    scheme: z.optional(z.string()),
    resourceMetadata: z.optional(z.string()),
    scope: z.optional(z.string()),
    error: z.optional(z.string()),
    errorDescription: z.optional(z.string()),
    dpop: z.optional(z.object({ algs: z.optional(z.array(z.string())) })),
  }),
  scope: z.optional(z.string()),
  grant: z.optional(z.enum(['authorization_code', 'device_code'])),
  client: z.optional(
    z.object({
      clientId: z.string(),
      clientSecret: z.optional(z.string()),
      signingKey: z.optional(z.string()),
      signingAlg: z.optional(z.string()),
    }),
  ),
  clientMetadataUrl: z.optional(z.string()),
  noResource: z.optional(z.boolean()),
  issuer: z.optional(z.string()),
  tenantIssuer: z.optional(z.boolean()),
  scopeOnTokenRequests: z.optional(z.boolean()),
  audienceFromResource: z.optional(z.boolean()),
  useIdToken: z.optional(z.boolean()),
  dpop: z.optional(z.enum(['auto', 'always', 'never'])),
  authorizeParams: z.optional(z.array(z.tuple([z.string(), z.string()]))),
  stepUps: z.optional(z.array(z.number())),
  headers: z.optional(z.array(z.tuple([z.string(), z.string()]))),
  allowHttp: z.boolean(),
  assumePkce: z.boolean(),
  caFile: z.optional(z.string()),
  home: z.optional(z.string()),
  authTimeoutMs: z.number().check(z.positive()),
  callback: z.object({
    host: z.string().check(z.minLength(1)),
    port: z.optional(z.int().check(z.minimum(1), z.maximum(65_535))),
    path: z.string().check(z.startsWith('/')),
  }),
  openBrowser: z.boolean(),
  debug: z.boolean(),
});

export const DEFAULT_CALLBACK = { host: '127.0.0.1', path: '/callback' } as const;

/** A request is a few hundred bytes; a challenge of 16 KiB may ride in it, and headers, of which servers take about as much. */
export const MAX_REQUEST_BYTES = 128 * 1024;

/** The command word with which the program starts itself as a sign-in process; not in the help. */
export const SIGN_IN_COMMAND = '__sign-in';

export function readSignInRequest(text: string): SignInRequest {
  try {
    // JSON knows no undefined: what is optional is absent.
    return z.parse(schema, JSON.parse(text)) as SignInRequest;
  } catch (error) {
    throw new SignInFailedError('the sign-in process was started with a request that it cannot read', {
      cause: error,
    });
  }
}
