import * as z from 'zod/mini';
import { SignInFailedError } from '../errors/sign-in-errors.ts';
import type { SignInRequest } from '../sign-in-request.ts';

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
  clientCertificate: z.optional(z.object({ certFile: z.string(), keyFile: z.string() })),
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
