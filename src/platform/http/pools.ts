import type { LookupFunction } from 'node:net';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import UndiciAgent from 'undici/lib/dispatcher/agent.js';
import type { ClientCertificate } from './certificates.ts';
import { certificateConnector, probedConnector } from './connector.ts';
import { staysHere } from './loopback.ts';

export interface PoolOptions {
  /** The environment's proxy variables: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Certificate authorities that replace the built-in ones (PEM); the caller adds those it wants to keep. */
  readonly ca?: readonly string[];
  readonly connectTimeoutMs?: number;
  /** How long one address of a name may take before the next is tried. */
  readonly addressAttemptMs?: number;
  /** Silence on a connection before it is probed. */
  readonly probeAfterMs?: number;
  /** How long a connection may be idle and still be used. */
  readonly maxIdleMs?: number;
  /** Shown to its origin alone, if that asks for one. */
  readonly clientCertificate?: ClientCertificate;
}

/** test/README.md, fault 2: a black hole is noticed in 10 s. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Node's 250 ms gives up on slow mobile links. */
const ADDRESS_ATTEMPT_MS = 1_500;
/**
 * How long an idle connection is kept, unless the server says less. A path can die without a word, and a call that is sent on it waits for as long
 * as the kernel tries (up to 15 minutes); another connection costs two round trips at most.
 */
const MAX_IDLE_MS = 5_000;
/** test/README.md, fault 4: a half-open connection is noticed in 60 s: 30 s of silence, then ten probes one second apart. */
const TCP_KEEP_ALIVE_DELAY_MS = 30_000;

/** Whether a request to this URL goes through a proxy, unless NO_PROXY names its host: what is on this machine never does. */
export function mayUseProxy(url: URL, env: PoolOptions['env']): boolean {
  return proxyVariables(env) !== undefined && !staysHere(url);
}

export interface Pools {
  /** The connections for a URL. */
  of(url: URL): Dispatcher;
  /** Resolves once what is under way is done. */
  close(): Promise<unknown>;
  destroy(): Promise<unknown>;
}

/**
 * Direct connections and those through the environment's proxies, and each kind once more for the origin that is shown the client
 * certificate: apart, since undici resumes a TLS session that was made with the certificate at any other port of that host.
 */
export async function poolFactory(options: PoolOptions, lookup: LookupFunction): Promise<() => Pools> {
  const { env, clientCertificate } = options;
  const { probeAfterMs = TCP_KEEP_ALIVE_DELAY_MS, maxIdleMs = MAX_IDLE_MS } = options;
  const connect: buildConnector.BuildOptions & { autoSelectFamilyAttemptTimeout: number } = {
    timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: options.addressAttemptMs ?? ADDRESS_ATTEMPT_MS,
    keepAlive: false,
    ...(options.ca === undefined ? {} : { ca: [...options.ca] }),
  };
  const proxies = proxyVariables(env);
  const proxy = proxies && (await import('./proxy.ts'));

  const open = (isProxied: boolean, isShown: boolean): Dispatcher => {
    const { cert, key } = (isShown ? clientCertificate : undefined) ?? {};
    const toServer = { ...connect, ...(cert === undefined ? {} : { cert, key }) };
    const agent: Agent.Options = {
      connect: probedConnector(certificateConnector({ ...toServer, lookup }), probeAfterMs),
      keepAliveTimeout: maxIdleMs,
      // What the server says with `Keep-Alive: timeout=` counts only where it is less.
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
  const httpProxy = env.http_proxy || env.HTTP_PROXY;
  const httpsProxy = env.https_proxy || env.HTTPS_PROXY;
  if (!httpProxy && !httpsProxy) return undefined;
  return {
    noProxy: env.no_proxy || env.NO_PROXY || '',
    ...(httpProxy ? { httpProxy } : {}),
    ...(httpsProxy ? { httpsProxy } : {}),
  };
}
