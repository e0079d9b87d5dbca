import { quote, quoteAddress } from '../../protocol/quote.ts';
import { ResourceMismatchError } from '../errors/oauth-errors.ts';

/**
 * RFC 9728 §3.3: metadata names its resource, which has to be the server that we talk to: the same URL, or, as MCP servers use it, a path prefix at the same
 * origin. Otherwise a server could have tokens for another one issued to it (.github/SECURITY.md, attack 8).
 */
export function checkResource(resource: string, server: URL): void {
  const fault = resourceFault(resource, server);
  if (fault === undefined) return;
  throw new ResourceMismatchError(
    `the protected resource metadata of ${quoteAddress(server)} is for the resource ${quote(resource)}, which ${fault}`,
  );
}

function resourceFault(resource: string, server: URL): string | undefined {
  if (!/^[\x21-\x7e]{1,2048}$/.test(resource) || !URL.canParse(resource)) return 'is no URL';
  const named = new URL(resource);
  // RFC 8707 §2.
  if (resource.includes('#')) return 'holds a fragment';
  if (named.username !== '' || named.password !== '') return 'holds user information';
  if (named.origin === 'null' || named.origin !== server.origin) return 'is at another origin';
  if (named.search !== '' && named.search !== server.search) return 'has another query';
  return isPathPrefix(named.pathname, server.pathname) ? undefined : 'has another path';
}

/** By whole segments: `/mcp` covers `/mcp`, `/mcp/` and `/mcp/a`, not `/mcp2`. */
function isPathPrefix(prefix: string, path: string): boolean {
  return withSlash(path).startsWith(withSlash(prefix));
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}
