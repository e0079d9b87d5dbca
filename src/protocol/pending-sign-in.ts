import type { AccessToken } from './access-token.ts';

/** A sign-in that waits for the user, in this process or another. */
export interface PendingSignInStatus {
  /** The address that the user has to open; undefined until it is known. */
  readonly address: string | undefined;
  /** The code to enter there, if the sign-in is on another device (RFC 8628). */
  readonly userCode?: string | undefined;
  /** Whether the sign-in itself has opened a browser with the address. */
  readonly browserOpened?: boolean;
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
  /** Calls the listener with the current address, if there is one, and with each later one. */
  onAddress(listener: (address: string, userCode?: string) => void): void;
  /** Rejects with a DrawbridgeError. */
  readonly done: Promise<AccessToken>;
}
