/** Whether the URL's host can only be this machine. Names under `.localhost` do not count, since some resolvers ask the network for them. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

/** `localhost` and the names under it (RFC 6761 §6.3), in upper or lower case, with or without the final dot of an absolute name. */
export function isLocalhostName(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(hostname);
}

/** An IP address of this machine as `URL.hostname` writes it: dotted decimal or compressed, whatever the original spelling was. */
const LOOPBACK_LITERAL =
  /^(?:(?:127|0)(?:\.\d{1,3}){3}|\[::1?\]|\[::ffff:(?:7f[0-9a-f]{2}|[0-9a-f]{1,2}):[0-9a-f]{1,4}\])$/;

/** Whether a connection to the URL's host stays on this machine, so that a proxy could not make it and must not read it. */
export function staysHere(url: URL): boolean {
  return LOOPBACK_LITERAL.test(url.hostname) || isLocalhostName(url.hostname);
}
