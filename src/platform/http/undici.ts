import { lookup as dnsLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import UndiciAgent from 'undici/lib/dispatcher/agent.js';
import { certificateConnector, probedConnector } from './connector.ts';
import { exchange } from './exchange.ts';
import { httpFailure } from './failure.ts';
import type { Http } from './http.ts';
import { NetworkWatch, networkAddresses } from './network-watch.ts';

export interface HttpOptions {
  /** The environment's proxy variables: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Certificate authorities that replace the built-in ones (PEM); the caller adds those it wants to keep. */
  readonly ca?: readonly string[];
  readonly connectTimeoutMs?: number;
  /** Silence on a connection before it is probed. */
  readonly probeAfterMs?: number;
  /** Shown to a server that asks for one (PEM). */
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** Asked for each address before a connection is made, names resolved and literals alike (THREATS 11). */
  readonly allowAddress?: (address: string, hostname: string) => boolean;
  /** Name resolution; `dns.lookup` unless a test brings its own. */
  readonly lookup?: LookupFunction;
  /** How long a connection may be idle and still be used. */
  readonly maxIdleMs?: number;
  /** The addresses of this machine as one text; its interfaces' unless a test brings its own. */
  readonly networkAddresses?: () => string;
}

/** FAULTS 2: a black hole is noticed in 10 s. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How long one address may take before the next is tried: Node's 250 ms gives up on slow mobile links. */
const ADDRESS_ATTEMPT_MS = 1_500;
/**
 * How long an idle connection is kept, unless the server says less. A path can die without a word, and a call that is sent on it waits for as long
 * as the kernel tries (up to 15 minutes); another connection costs two round trips at most.
 */
const MAX_IDLE_MS = 5_000;
/** FAULTS 4: a half-open connection is noticed in 60 s: 30 s of silence, then ten probes one second apart. */
const TCP_KEEP_ALIVE_DELAY_MS = 30_000;

/** The one pool of connections. Redirects are answers like any other; nothing is decoded, nothing retried. */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const create = await dispatcherFactory(options);
  let dispatcher = create();
  const leaving = new Set<Dispatcher>();
  const { allowAddress } = options;
  const network = new NetworkWatch(options.networkAddresses ?? networkAddresses);
  const dropIdle = () => {
    const old = dispatcher;
    dispatcher = create();
    leaving.add(old);
    const gone = () => leaving.delete(old);
    old.close().then(gone, gone);
  };
  return {
    request: (request) => {
      if (allowAddress !== undefined) {
        const host = request.url.hostname.replace(/^\[|\]$/g, '');
        if (isIP(host) !== 0 && !allowAddress(host, host)) {
          return Promise.reject(httpFailure(addressRefused(host), request.url, false));
        }
      }
      if (network.changed()) dropIdle();
      return exchange(dispatcher, request);
    },
    dropIdle,
    close: async () => {
      await Promise.all([dispatcher, ...leaving].map((each) => each.destroy()));
    },
  };
}

async function dispatcherFactory(options: HttpOptions): Promise<() => Dispatcher> {
  const { probeAfterMs = TCP_KEEP_ALIVE_DELAY_MS, maxIdleMs = MAX_IDLE_MS } = options;
  const connect: buildConnector.BuildOptions & { autoSelectFamilyAttemptTimeout: number } = {
    timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    keepAlive: false,
    ...(options.ca === undefined ? {} : { ca: [...options.ca] }),
  };
  const toServer = { ...connect, ...options.clientCertificate };
  const shared: Agent.Options = {
    connect: probedConnector(
      certificateConnector({ ...toServer, lookup: guardedLookup(options) }),
      probeAfterMs,
    ),
    keepAliveTimeout: maxIdleMs,
    // What the server says with `Keep-Alive: timeout=` counts only where it is less.
    keepAliveMaxTimeout: maxIdleMs,
    bodyTimeout: 0,
    headersTimeout: 0,
  };
  const proxies = proxyVariables(options.env);
  if (proxies === undefined) return () => new UndiciAgent(shared);
  const { createProxyAgent } = await import('./proxy.ts');
  // Behind a proxy names are resolved there: only the proxy's own address is ours to connect to, and it may be private.
  return () =>
    createProxyAgent({ ...shared, ...proxies, requestTls: toServer, proxyTls: connect }, probeAfterMs);
}

function proxyVariables(env: HttpOptions['env']) {
  const httpProxy = env.http_proxy || env.HTTP_PROXY;
  const httpsProxy = env.https_proxy || env.HTTPS_PROXY;
  if (!httpProxy && !httpsProxy) return undefined;
  return {
    noProxy: env.no_proxy || env.NO_PROXY || '',
    ...(httpProxy ? { httpProxy } : {}),
    ...(httpsProxy ? { httpsProxy } : {}),
  };
}

function guardedLookup({ allowAddress, lookup = dnsLookup as LookupFunction }: HttpOptions): LookupFunction {
  if (allowAddress === undefined) return lookup;
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 4);
      const addresses = Array.isArray(found) ? found : [];
      const refused = addresses.find(({ address }) => !allowAddress(address, hostname));
      const first = addresses[0];
      // One forbidden address among several is refused whole: which one is connected to is not ours to say.
      if (refused !== undefined || first === undefined) return callback(addressRefused(hostname), '', 4);
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

function addressRefused(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`refused to connect to ${host}`), { code: 'ERR_ADDRESS_REFUSED' });
}
