import { createHash } from 'node:crypto';

/** Everything that affects an authorization: two bridges share a login if, and only if, they agree on every part. */
export interface KeyParts {
  readonly server: URL;
  /** `--resource`; absent: as the metadata says. */
  readonly resource?: string | undefined;
  /** `--scope`. */
  readonly scope?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientMetadataUrl?: string | undefined;
  readonly authorizeParams?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly grant: string;
  readonly profile: string;
}

/** Changes when the meaning of a part changes: old credentials are then not found instead of misread. */
const KEY_VERSION = 1;

/** The name of the credential: hex SHA-256. A list, so that no two different sets of parts join to the same string. */
export function credentialKey(parts: KeyParts): string {
  const scope = parts.scope?.split(' ').filter((part) => part !== '');
  const authorizeParams = [...(parts.authorizeParams ?? [])].sort(([a, x], [b, y]) =>
    a === b ? compare(x, y) : compare(a, b),
  );
  const list = [
    KEY_VERSION,
    canonicalServer(parts.server),
    parts.resource ?? null,
    scope === undefined ? null : [...new Set(scope)].sort(),
    parts.clientId ?? null,
    parts.clientMetadataUrl ?? null,
    authorizeParams,
    parts.grant,
    parts.profile,
  ];
  return createHash('sha256').update(JSON.stringify(list)).digest('hex');
}

/**
 * The URL parser already lowercases scheme and host and drops a default port. The fragment never reaches a server; user info is not part of an address. A
 * trailing slash makes another address.
 */
export function canonicalServer(server: URL): string {
  const url = new URL(server);
  url.hash = '';
  url.username = '';
  url.password = '';
  return url.href;
}

/** By code unit: the same in every locale. Equal strings need no order. */
function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** The name of a refresh token where the token itself must not appear. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
