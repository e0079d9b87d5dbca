import type { DrawbridgeError, ErrorCode } from '../../errors.ts';

/** A sign-in that fails before its page opens would otherwise be restarted by each request of the host. */
export const SIGN_IN_PAUSE_MS = 5_000;

const BY_PERSON: readonly ErrorCode[] = ['authorization_denied', 'sign_in_expired', 'sign_in_failed'];

/** Whether a person had a part in the end of a sign-in: they may want to try again at once. */
export function isByPerson({ code }: DrawbridgeError): boolean {
  return BY_PERSON.includes(code);
}
