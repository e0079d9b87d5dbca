import type { Dispatcher, EnvHttpProxyAgent } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import UndiciDispatcher from 'undici/lib/dispatcher/dispatcher.js';
import UndiciProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';

/** The pool that goes through the environment's proxies; loaded only where there are any. */
export function createProxyAgent(options: EnvHttpProxyAgent.Options): Dispatcher {
  // Tunnels are made with a method that only undici's index puts on its dispatchers, and the index is not loaded.
  Object.assign(UndiciDispatcher.prototype, { connect });
  return new UndiciProxyAgent(options);
}
