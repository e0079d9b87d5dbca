/**
 * What is known by name but not built: mcp-remote's flags and those of this program's plan. A setting that somebody counts on is
 * refused, never ignored.
 */
export const unsupportedFlags: ReadonlySet<string> = new Set([
  // mcp-remote 0.15
  'auth-success-url',
  'client-credentials',
  'device-code',
  'ignore-tool',
  'ipv4',
  'keep-alive',
  'protocol',
  'static-oauth-client-info',
  'static-oauth-client-metadata',
  'token-endpoint',
]);

export const unsupportedCommands: readonly string[] = ['doctor'];
