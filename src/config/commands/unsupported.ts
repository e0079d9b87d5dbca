/**
 * Flags that are known but not supported: those of mcp-remote and some planned ones. A setting that a user relies on is refused instead of
 * ignored.
 */
export const unsupportedFlags: ReadonlySet<string> = new Set([
  // mcp-remote 0.15
  'auth-success-url',
  'client-credentials',
  'device-code',
  'ipv4',
  'keep-alive',
  'protocol',
  'static-oauth-client-info',
  'static-oauth-client-metadata',
  'token-endpoint',
]);
