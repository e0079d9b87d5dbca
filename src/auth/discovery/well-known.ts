/* The addresses of metadata. The SDK has these rules too (`buildDiscoveryUrls`); a test compares the two. The program does not load 400 KiB for ten lines. */

/** RFC 9728 §3.1: the name goes between host and path, and the query stays; then, as MCP says, the one at the origin. */
export function protectedResourceMetadataUrls(server: URL): URL[] {
  const root = new URL('/.well-known/oauth-protected-resource', server.origin);
  const path = withoutFinalSlash(server.pathname);
  if (path === '' && server.search === '') return [root];
  return [new URL(`${root.href}${path}${server.search}`), root];
}

/** MCP: RFC 8414 §3.1 with the path inserted, OpenID Connect with the path inserted, then OpenID Connect with the path in front. */
export function authorizationServerMetadataUrls(issuer: URL): URL[] {
  const path = withoutFinalSlash(issuer.pathname);
  // Assigned, not resolved: a path that begins with two slashes would be taken for a host.
  const at = (pathname: string) => Object.assign(new URL(issuer.origin), { pathname });
  const urls = [
    at(`/.well-known/oauth-authorization-server${path}`),
    at(`/.well-known/openid-configuration${path}`),
  ];
  return path === '' ? urls : [...urls, at(`${path}/.well-known/openid-configuration`)];
}

function withoutFinalSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
