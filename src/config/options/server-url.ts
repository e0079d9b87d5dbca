import * as z from 'zod/mini';

/**
 * The server's address. Forbidden parts are refused instead of dropped: a user name would put a secret into argv and into the credential's key, and
 * a fragment never reaches a server.
 */
export const serverUrl = z.pipe(
  z.string(),
  z.transform((text: string, context): URL => {
    const fault = urlFault(text);
    if (fault === undefined) return new URL(text);
    context.issues.push({ code: 'custom', message: fault, input: text });
    return z.NEVER;
  }),
);

function urlFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'expected the address of an MCP server, such as https://example.com/mcp';
  // The URL parser would silently drop or encode blanks and control characters.
  if (/[\s\p{Cc}]/u.test(text)) return 'expected an address without spaces';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'expected an address that starts with https://';
  if (url.username !== '' || url.password !== '')
    return 'expected an address without a user name or password; send one with --header instead';
  if (text.includes('#')) return 'expected an address without a fragment (#…)';
  return undefined;
}
