import { STAND_IN_AFTER_MS } from './limits.ts';

/**
 * How long a host's `initialize` may wait for a server whose answer is on its way. Hosts give up after 10 s at the soonest (Codex and Crush, where
 * their person has set nothing), most after 30 s.
 */
const USUAL_MS = 8_000;

/** Hosts that are known to give up earlier, by `clientInfo.name` in lower case. */
const EARLIER_MS: Readonly<Record<string, number>> = {
  __proto__: null as never,
  // The command line of Cline. It writes `initialize` as soon as it has started a server, and ends the server 1.5 s later (2.7 s in 3.0.65):
  // the start of a launcher such as npx counts too, so none of it can be spent on a slow server.
  '@cline/core': STAND_IN_AFTER_MS,
};

/** How long the host that sent these parameters of `initialize` waits for its answer, with something to spare, in milliseconds. */
export function initializePatienceMs(params: unknown): number {
  const info = (params as { readonly clientInfo?: { readonly name?: unknown } | null } | null | undefined)
    ?.clientInfo;
  const name = typeof info?.name === 'string' ? info.name.toLowerCase() : '';
  return EARLIER_MS[name] ?? USUAL_MS;
}
