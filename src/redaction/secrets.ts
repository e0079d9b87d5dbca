import { createRedactor, type SecretKind } from './redactor.ts';

/**
 * The redactor of the process. It is a singleton instead of a parameter because texts of servers are quoted in some thirty places, and a place that
 * was not given the secrets would show them.
 */
export const redactor = createRedactor();

/** Registers a secret, which from now on appears neither in a log nor in a message to the host; see `SecretKind` for how long. */
export function keepSecret(text: string | undefined, kind?: SecretKind): void {
  if (text !== undefined) redactor.add(text, kind);
}
