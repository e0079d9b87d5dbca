/** RFC 6749 §3.3: visible ASCII without `"` and `\`. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;
/** More than any server grants; with the limit per scope it keeps the whole within the limit of the store. */
const MAX_SCOPES = 60;

/**
 * The scope to request (MCP, Authorization → Scope Selection Strategy): the user's setting, else the scope in the challenge, else the one in the resource's own
 * metadata, else none. The authorization server's list is never requested: it covers every client. `offline_access` is added if the authorization server lists
 * it, since some issue a refresh token only for it; never to a scope set by the user, and never alone: a server that requires no scope might refuse one.
 */
export function chooseScope(
  challenged: string | undefined,
  resourceScopes: readonly string[] | undefined,
  override: string | undefined,
  authorizationServerScopes?: readonly string[],
): string | undefined {
  if (override !== undefined) return cleanScope(override);
  const chosen = cleanScope(challenged ?? '') ?? cleanScope((resourceScopes ?? []).join(' '));
  if (chosen === undefined || !authorizationServerScopes?.includes(OFFLINE_ACCESS)) return chosen;
  return cleanScope(`${chosen} ${OFFLINE_ACCESS}`);
}

/** OpenID Connect Core §11. */
export const OFFLINE_ACCESS = 'offline_access';

/** Each scope once, in the order of first appearance; invalid scope tokens are left out. */
export function cleanScope(scope: string): string | undefined {
  const tokens = new Set(scope.split(/\s+/).filter((token) => SCOPE_TOKEN.test(token)));
  return tokens.size === 0 ? undefined : [...tokens].slice(0, MAX_SCOPES).join(' ');
}
