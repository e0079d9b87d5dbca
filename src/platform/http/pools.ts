import type { LookupFunction } from 'node:net';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import UndiciAgent from 'undici/lib/dispatcher/agent.js';
import { withoutUndefined } from '../without-undefined.ts';
import type { ClientCertificate } from './certificates.ts';
import { certificateConnector, probedConnector, resettableConnector } from './connector.ts';
import { staysHere } from './loopback.ts';

/** How connections are made and kept. */
export interface PoolOptions {
  /** The environment's proxy variables: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Certificate authorities (PEM) that replace the built-in ones; include those to keep. */
  readonly ca?: readonly string[];
  readonly connectTimeoutMs?: number;
  /** The time for one address of a name before the next one is tried too. */
  readonly addressAttemptMs?: number;
  /** Silence on a connection before it is probed. */
  readonly probeAfterMs?: number;
  /** How long an idle connection is kept for reuse. */
  readonly maxIdleMs?: number;
  /** Shown only to its origin, if the server there asks for a certificate. */
  readonly clientCertificate?: ClientCertificate;
}

/** test/README.md, fault 2: a black hole is noticed in 10 s. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Node's 250 ms gives up on slow mobile links. */
const ADDRESS_ATTEMPT_MS = 1_500;
/**
 * How long an idle connection is kept, unless the server sets a shorter time. A network path can fail silently, and a call sent on it waits
 * for as long as the kernel retries (up to 15 minutes); a new connection costs two round trips at most.
 */
const MAX_IDLE_MS = 5_000;
/** test/README.md, fault 4: a half-open connection is noticed in 60 s: 30 s of silence, then ten probes one second apart. */
const TCP_KEEP_ALIVE_DELAY_MS = 30_000;

/** Whether a request to this URL goes through a proxy, NO_PROXY aside; a request to this machine never does. */
export function mayUseProxy(url: URL, env: PoolOptions['env']): boolean {
  return proxyVariables(env) !== undefined && !staysHere(url);
}

/** The pools in use. */
export interface Pools {
  /** The pool for a URL. */
  of(url: URL): Dispatcher;
  /** Resolves when the requests in progress are done. */
  close(): Promise<unknown>;
  /** Closes all connections at once. */
  destroy(): Promise<unknown>;
}

/**
 * Returns a function that makes pools: one for direct connections, one for the environment's proxies, and another of each for the origin
 * of the client certificate. That origin needs separate pools because undici would resume a TLS session made with the certificate on any
 * other port of the same host.
 */
export async function poolFactory(options: PoolOptions, lookup: LookupFunction): Promise<() => Pools> {
  const { env, clientCertificate } = options;
  const { probeAfterMs = TCP_KEEP_ALIVE_DELAY_MS, maxIdleMs = MAX_IDLE_MS } = options;
  const connect: buildConnector.BuildOptions & { autoSelectFamilyAttemptTimeout: number } = {
    timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: options.addressAttemptMs ?? ADDRESS_ATTEMPT_MS,
    keepAlive: false,
    ...withoutUndefined({ ca: options.ca && [...options.ca] }),
  };
  const proxies = proxyVariables(env);
  const proxy = proxies && (await import('./proxy.ts'));

  const open = (isProxied: boolean, isShown: boolean): Dispatcher => {
    const { cert, key } = (isShown ? clientCertificate : undefined) ?? {};
    const toServer = { ...connect, ...withoutUndefined({ cert, key }) };
    const agent: Agent.Options = {
      connect: probedConnector(
        resettableConnector(certificateConnector({ ...toServer, lookup })),
        probeAfterMs,
      ),
      keepAliveTimeout: maxIdleMs,
      // The server's `Keep-Alive: timeout=` counts only if it is shorter.
      keepAliveMaxTimeout: maxIdleMs,
      bodyTimeout: 0,
      headersTimeout: 0,
    };
    if (!isProxied || proxy === undefined) return new UndiciAgent(agent);
    const tunnels = { ...agent, ...proxies, requestTls: toServer, proxyTls: connect };
    return proxy.createProxyAgent(tunnels, probeAfterMs);
  };
  return () => {
    const pools: Dispatcher[] = [];
    return {
      of: (url) => {
        const isProxied = proxies !== undefined && !staysHere(url);
        const isShown = clientCertificate !== undefined && url.origin === clientCertificate.origin;
        const at = (isProxied ? 2 : 0) + (isShown ? 1 : 0);
        pools[at] ??= open(isProxied, isShown);
        return pools[at];
      },
      close: () => Promise.all(pools.map((pool) => pool.close())),
      destroy: () => Promise.all(pools.map((pool) => pool.destroy())),
    };
  };
}

function proxyVariables(env: PoolOptions['env']) {
  const httpProxy = env.http_proxy || env.HTTP_PROXY || undefined;
  const httpsProxy = env.https_proxy || env.HTTPS_PROXY || undefined;
  if (!httpProxy && !httpsProxy) return undefined;
  return {
    noProxy: env.no_proxy || env.NO_PROXY || '',
    ...withoutUndefined({ httpProxy, httpsProxy }),
  };
}
