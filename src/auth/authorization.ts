import type { StopSignal } from '../platform/stop.ts';
import type { AccessToken } from '../protocol/access-token.ts';
import type { PendingSignInStatus } from '../protocol/pending-sign-in.ts';
import type { BearerChallenge } from '../protocol/www-authenticate.ts';
import { StaticAuthorizationRefusedError } from './errors/errors.ts';

/** The value for `Authorization`. */
export type Bearer = AccessToken;

export type Recovery =
  | { readonly kind: 'retry'; readonly bearer: Bearer }
  | { readonly kind: 'sign-in'; readonly signIn: PendingSignInStatus };

/** The bridge's view of authorization. */
export interface Authorization {
  /** The bearer to send now; refreshes before it expires; undefined if there is none. A promise only if something has to be waited for. */
  current(signal: StopSignal): Promise<Bearer | undefined> | Bearer | undefined;
  /**
   * After a 401, or a 403 for insufficient scope, which needs a sign-in. Adopts a newer record, else refreshes, else starts a sign-in. Concurrent calls share
   * one recovery. Rejects if nothing helps now.
   */
  recover(
    refused: Bearer | undefined,
    challenge: BearerChallenge | undefined,
    signal: StopSignal,
  ): Promise<Recovery>;
  /** The server accepted this bearer. If this is never called, a token counts as accepted after a few minutes. */
  worked?(bearer: Bearer): void;
  /** Ends all waiting. A refresh that was sent gets a moment to finish: await this before the process ends. */
  close(): Promise<void> | void;
}

/** For a bridge with a configured `Authorization` header: it opens no browser and never refreshes. */
export function staticAuthorization(): Authorization {
  return {
    current: () => undefined,
    recover: async () => {
      throw new StaticAuthorizationRefusedError(
        'the server refuses the configured Authorization header (401)',
        {
          hint: 'Renew the value of --header Authorization or MCP_DRAWBRIDGE_TOKEN, or leave it out to sign in.',
        },
      );
    },
    close: () => {},
  };
}
