import * as z from 'zod/mini';
import { type Immutable, oauthSettingsShape } from '../protocol/oauth-settings.ts';
import type { BearerChallenge } from '../protocol/www-authenticate.ts';

import { SignInFailedError } from './errors/sign-in-errors.ts';

const header = z.tuple([z.string(), z.string()]);

/** The OAuth settings, how to reach the server, and the data of this sign-in only. */
const schema = z.object({
  ...oauthSettingsShape,
  server: z.url(),
  /** The user's `--header`s, for the server's own metadata. */
  headers: z.optional(z.array(header)),
  /** The user's `--allow-http`. */
  allowHttp: z.boolean(),
  caFile: z.optional(z.string()),
  /** The user's `--cert` and `--key`, for the server's own origin: the files, which the process reads itself. */
  clientCertificate: z.optional(z.object({ certFile: z.string(), keyFile: z.string() })),
  home: z.optional(z.string()),
  /** The shared store, instead of the one in `home`: its address, and its keys in base64. */
  store: z.optional(z.object({ url: z.string(), prefix: z.string(), keys: z.array(z.string()) })),
  authTimeoutMs: z.number().check(z.positive()),
  openBrowser: z.boolean(),
  debug: z.boolean(),

  key: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** The lease's nonce: the process that knows it may become the lease's owner. */
  nonce: z.string().check(z.minLength(1)),
  challenge: z.object({
    scheme: z.optional(z.string()),
    resourceMetadata: z.optional(z.string()),
    scope: z.optional(z.string()),
    error: z.optional(z.string()),
    errorDescription: z.optional(z.string()),
    dpop: z.optional(z.object({ algs: z.optional(z.array(z.string())) })),
  }),
  /** When a person was asked for more scope before, in milliseconds since the epoch. */
  stepUps: z.optional(z.array(z.number())),
});

/**
 * The input of a sign-in process, as JSON on its stdin, which no other process reads: it may contain the secret of a client configured by the user, and the
 * keys of a store.
 */
export type SignInRequest = Immutable<Omit<z.output<typeof schema>, 'challenge'>> & {
  readonly challenge: Readonly<BearerChallenge>;
};

/** A request has a few hundred bytes; it may contain a challenge of 16 KiB, and headers, of which servers accept about as much. */
export const MAX_REQUEST_BYTES = 128 * 1024;

/** Throws SignInFailedError if the text is not a request. */
export function readSignInRequest(text: string): SignInRequest {
  try {
    // A bridge of an earlier release that still runs after an update omits the grant.
    const request = { grant: 'authorization_code', ...JSON.parse(text) };
    // JSON has no undefined: optional parts of the challenge are absent.
    return z.parse(schema, request) as SignInRequest;
  } catch (error) {
    throw new SignInFailedError('the sign-in process was started with an unreadable request', {
      cause: error,
    });
  }
}
