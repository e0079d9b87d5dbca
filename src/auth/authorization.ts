import type { StopSignal } from '../platform/stop.ts';
import type { AccessToken } from '../protocol/access-token.ts';
import type { PendingSignInStatus } from '../protocol/pending-sign-in.ts';
import type { BearerChallenge } from '../protocol/www-authenticate.ts';
import { StaticAuthorizationRefusedError } from './errors/errors.ts';

/** What goes into `Authorization`. */
export type Bearer = AccessToken;

export type Recovery =
  | { readonly kind: 'retry'; readonly bearer: Bearer }
  | { readonly kind: 'sign-in'; readonly signIn: PendingSignInStatus };

/** What the bridge knows of authorization. */
export interface Authorization {
  /** The bearer to send now; refreshes ahead of expiry; undefined when there is none. A promise only where something has to be waited for. */
  current(signal: StopSignal): Promise<Bearer | undefined> | Bearer | undefined;
  /** After a 401, or a 403 for want of scope, for which a person is asked. Adopts a newer record, else refreshes, else asks for a sign-in. Concurrent calls join. Rejects when nothing helps now. */
  recover(
    refused: Bearer | undefined,
    challenge: BearerChallenge | undefined,
    signal: StopSignal,
  ): Promise<Recovery>;
  /** The server took this bearer. Where nobody says so, a token counts as proven after a few minutes. */
  worked?(bearer: Bearer): void;
  /** Ends all waiting. A refresh that was sent gets a moment to come to its end: await it before the process ends. */
  close(): Promise<void> | void;
}

/** For a bridge that was given an `Authorization` header: never a browser, never a refresh. */
export function staticAuthorization(): Authorization {
  return {
    current: () => undefined,
    recover: async () => {
      throw new StaticAuthorizationRefusedError(
        'the server refuses the Authorization header that this bridge was given (401)',
        {
          hint: 'Renew the value of --header Authorization or MCP_DRAWBRIDGE_TOKEN, or leave it out to sign in.',
        },
      );
    },
    close: () => {},
  };
}
