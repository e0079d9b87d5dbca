/** Shorter ones stand in too many other words. */
const MIN_SECRET_CHARACTERS = 4;

/**
 * A server may describe an error with what it was sent, and the description goes to the host: each secret is taken out of it, also
 * as it was encoded for the form.
 */
export function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret === undefined || secret.length < MIN_SECRET_CHARACTERS) continue;
    const form = new URLSearchParams([['', secret]]).toString().slice(1);
    for (const spelling of new Set([secret, form, encodeURIComponent(secret)])) {
      clean = clean.replaceAll(spelling, '…');
    }
  }
  return clean;
}
