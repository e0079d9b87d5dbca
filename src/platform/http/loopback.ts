/** Whether the URL's host can only be this machine. Names under `.localhost` are left out: some resolvers ask the network. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

/** `localhost` and the names under it (RFC 6761 §6.3), in any case and with or without the dot that ends an absolute name. */
export function isLocalhostName(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(hostname);
}
