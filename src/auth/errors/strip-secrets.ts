import { createRedactor } from '../../redaction/redactor.ts';

/** No description is quoted at this length. */
const MAX_CHARACTERS = 8 * 1024;

/**
 * A server may repeat the request in the description of an error, and the description goes to the host: each secret is removed from it, in every spelling.
 * These secrets belong to one request: the process does not need to remember them.
 */
export function stripSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  const redactor = createRedactor();
  for (const secret of secrets) if (secret !== undefined) redactor.add(secret);
  return redactor.redactRegistered(text, MAX_CHARACTERS);
}
