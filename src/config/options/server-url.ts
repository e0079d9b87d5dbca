import * as z from 'zod/mini';

/**
 * The server's address. What it must not hold is refused rather than dropped: a user name would be a secret in argv and
 * in the key of the credential, and a fragment never reaches a server.
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
  // Blanks and controls in the middle would be dropped or encoded without a word.
  if (/[\s\p{Cc}]/u.test(text)) return 'expected an address without blanks';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'expected an address that starts with https://';
  if (url.username !== '' || url.password !== '')
    return 'expected an address without a user name or password; send one with --header instead';
  if (text.includes('#')) return 'expected an address without a fragment (#…)';
  return undefined;
}
