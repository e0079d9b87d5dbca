import type { AccessToken } from './access-token.ts';

/** A sign-in that a person has to complete, in whatever process it is under way. */
export interface PendingSignInStatus {
  /** To be opened by the person, once it is known. */
  readonly address: string | undefined;
  /** To be entered there, where the sign-in is on another device (RFC 8628). */
  readonly userCode?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
  /** Called with each address, the present one included. */
  onAddress(listener: (address: string, userCode?: string) => void): void;
  /** Rejects with a DrawbridgeError. */
  readonly done: Promise<AccessToken>;
}
