import { createRedactor, type SecretKind } from './redactor.ts';

/**
 * The redactor of the process. There is one, and it is not handed around: a text of a server is quoted in thirty places, and a place that was
 * not given the secrets would show them.
 */
export const redactor = createRedactor();

/** From now on the bridge does not say this text, neither to a log nor to a host. */
export function keepSecret(text: string | undefined, kind?: SecretKind): void {
  if (text !== undefined) redactor.add(text, kind);
}
