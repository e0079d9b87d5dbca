type Environment = Readonly<Record<string, string | undefined>>;

/** The variables other than `MCP_DRAWBRIDGE_…` that decide how this program reaches servers and where its logins are. */
const SETTINGS: ReadonlySet<string> = new Set([
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'XDG_DATA_HOME',
]);
const OUR_PREFIX = 'MCP_DRAWBRIDGE_';

/** Whether a variable changes what this program does: a proxy, a certificate, a folder or one of its options. */
export function isProgramSetting(name: string): boolean {
  const upper = name.toUpperCase();
  return SETTINGS.has(upper) || upper.startsWith(OUR_PREFIX);
}

/**
 * The variables for this program that are set there and not here, sorted. `here` may be the environment from a host, and `there` that of a terminal. Only proxy
 * names ignore case (`https_proxy` is `HTTPS_PROXY`).
 */
export function withheldSettings(here: Environment, there: Environment): readonly string[] {
  const known = new Set(
    Object.keys(here)
      .filter((name) => here[name])
      .map((name) => name.toUpperCase()),
  );
  const missing = Object.keys(there).filter(
    (name) => there[name] && isProgramSetting(name) && !known.has(name.toUpperCase()),
  );
  return [...new Map(missing.map((name) => [name.toUpperCase(), name])).values()].sort();
}
