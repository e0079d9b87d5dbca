/** Whether the URL's host can only be this machine. Names under `.localhost` are left out: some resolvers ask the network. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

/** `localhost` and the names under it (RFC 6761 §6.3), in any case and with or without the dot that ends an absolute name. */
export function isLocalhostName(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(hostname);
}

/** A literal that reaches this machine, as `URL.hostname` writes it: whatever the spelling was, dotted decimal or compressed. */
const LOOPBACK_LITERAL =
  /^(?:(?:127|0)(?:\.\d{1,3}){3}|\[::1?\]|\[::ffff:(?:7f[0-9a-f]{2}|[0-9a-f]{1,2}):[0-9a-f]{1,4}\])$/;

/** Whether a connection to the URL's host stays on this machine: no proxy can make it, and none is to read it. */
export function staysHere(url: URL): boolean {
  return LOOPBACK_LITERAL.test(url.hostname) || isLocalhostName(url.hostname);
}
