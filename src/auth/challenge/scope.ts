/** RFC 6749 §3.3: visible ASCII without `"` and `\`. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;
/** More than any server grants; with the token's limit it keeps the whole within what the store takes. */
const MAX_SCOPES = 60;

/**
 * The scope to ask for (MCP, Authorization → Scope Selection Strategy): what the user set, else what the challenge names, else what the
 * resource's own metadata lists, else none. The authorization server's list is never asked for: it is everybody's.
 *
 * `offline_access` is added where the authorization server lists it, since some give a refresh token only for it; never to a scope
 * that the user set, and never alone: a server that asks for no scope might refuse one.
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

/** Each scope once, in the order of their first appearance; what is no scope token is left out. */
export function cleanScope(scope: string): string | undefined {
  const tokens = new Set(scope.split(/\s+/).filter((token) => SCOPE_TOKEN.test(token)));
  return tokens.size === 0 ? undefined : [...tokens].slice(0, MAX_SCOPES).join(' ');
}
