import { createRedactor } from '../../redaction/redactor.ts';

/** No description is quoted at such length. */
const MAX_CHARACTERS = 8 * 1024;

/**
 * A server may describe an error with what it was sent, and the description goes to the host: each secret is taken out of it, in every
 * spelling. These are of one request: the process does not need to know them any longer.
 */
export function stripSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  const redactor = createRedactor();
  for (const secret of secrets) if (secret !== undefined) redactor.add(secret);
  return redactor.redactRegistered(text, MAX_CHARACTERS);
}
