/** How long a host's `initialize` may wait for a server whose answer is on its way: hosts give up after 30 s at the soonest, and some of their people earlier. */
const USUAL_MS = 8_000;

/** Hosts that are known to give up earlier, by `clientInfo.name` in lower case. */
const EARLIER_MS: Readonly<Record<string, number>> = {
  __proto__: null as never,
  // Gives up 2.7 s after it wrote `initialize`, which a launcher such as npx may read a second later.
  cline: 1_500,
};

/** How long the host that sent these parameters of `initialize` waits for its answer, with something to spare, in milliseconds. */
export function initializePatienceMs(params: unknown): number {
  const info = (params as { readonly clientInfo?: { readonly name?: unknown } | null } | null | undefined)
    ?.clientInfo;
  const name = typeof info?.name === 'string' ? info.name.toLowerCase() : '';
  return EARLIER_MS[name] ?? USUAL_MS;
}
