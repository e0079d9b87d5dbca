/** Whether the URL's host can only be this machine. Names under `.localhost` are left out: some resolvers ask the network. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}
