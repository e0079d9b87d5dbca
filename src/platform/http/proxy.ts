import type { buildConnector, Dispatcher, EnvHttpProxyAgent } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import UndiciDispatcher from 'undici/lib/dispatcher/dispatcher.js';
import UndiciProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import UndiciPool from 'undici/lib/dispatcher/pool.js';
import { probedConnector } from './connector.ts';

/** The pool that goes through the environment's proxies; loaded only where there are any. */
export function createProxyAgent(options: EnvHttpProxyAgent.Options, probeAfterMs: number): Dispatcher {
  // Tunnels are made with a method that only undici's index puts on its dispatchers, and the index is not loaded.
  Object.assign(UndiciDispatcher.prototype, { connect });
  return new UndiciProxyAgent({
    ...options,
    // The connections to the proxy itself: undici makes their connector and has no option for another.
    clientFactory: (origin, { connect }: { connect: buildConnector.connector }) =>
      new UndiciPool(origin, { connect: probedConnector(connect, probeAfterMs) }),
  });
}
