import type { DrawbridgeError, ErrorCode } from '../../errors.ts';

/** A sign-in that fails before a person is asked would otherwise be started again by each request of the host. */
export const SIGN_IN_PAUSE_MS = 5_000;

const BY_PERSON: readonly ErrorCode[] = ['authorization_denied', 'sign_in_expired', 'sign_in_failed'];

/** Whether a sign-in ended in a way that a person had a hand in: they may want to try again at once. */
export function isByPerson({ code }: DrawbridgeError): boolean {
  return BY_PERSON.includes(code);
}
