import type { buildConnector, Dispatcher, EnvHttpProxyAgent } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import UndiciDispatcher from 'undici/lib/dispatcher/dispatcher.js';
import UndiciProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import UndiciPool from 'undici/lib/dispatcher/pool.js';
import { probedConnector } from './connector.ts';

/** Makes the dispatcher that goes through the environment's proxies. This module is loaded only if there are any. */
export function createProxyAgent(options: EnvHttpProxyAgent.Options, probeAfterMs: number): Dispatcher {
  // Tunnels need a method that undici's index module adds to its dispatchers, and that module is not loaded.
  Object.assign(UndiciDispatcher.prototype, { connect });
  return new UndiciProxyAgent({
    ...options,
    // For the connections to the proxy itself undici creates the connector and has no option to replace it.
    clientFactory: (origin, { connect }: { connect: buildConnector.connector }) =>
      proxyPool(origin, probedConnector(connect, probeAfterMs)),
  });
}

/**
 * Undici takes an error with these codes for the loss of an idle connection and reconnects at once, without limit: a proxy that closes
 * the connection instead of answering CONNECT would be asked thousands of times per second.
 */
const RETRIED_BY_UNDICI = new Set(['UND_ERR_SOCKET', 'UND_ERR_INFO']);

function proxyPool(origin: URL, connector: buildConnector.connector): Dispatcher {
  const pool = new UndiciPool(origin, { connect: connector });
  const tunnel: (options: Dispatcher.ConnectOptions) => Promise<unknown> = pool.connect.bind(pool);
  return Object.assign(pool, {
    connect: async (options: Dispatcher.ConnectOptions) => {
      try {
        return await tunnel(options);
      } catch (cause) {
        if (!RETRIED_BY_UNDICI.has((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
        const error = new Error('the proxy closed the connection', { cause });
        throw Object.assign(error, { code: 'ERR_PROXY_CONNECTION' });
      }
    },
  });
}
