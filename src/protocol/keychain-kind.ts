/** Which keychain: `system`, the one of this operating system, or `helper:NAME`, the program `docker-credential-NAME`. */
export type KeychainKind = 'system' | `helper:${string}`;

/** The name becomes part of a program's name, so it contains nothing that leads into another folder or that a shell would interpret. */
const KIND = /^(?:system|helper:[A-Za-z0-9][A-Za-z0-9._-]{0,62})$/;

/** Whether this is a valid kind. The keychain may still not exist. */
export function isKeychainKind(text: string): text is KeychainKind {
  return KIND.test(text);
}
