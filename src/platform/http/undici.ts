import { isIP, type LookupFunction } from 'node:net';
import { exchange } from './exchange.ts';
import { httpFailure } from './failure.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import { type AllowAddress, addressRefused, localLookup, mayAskProxyFor, publicLookup } from './lookup.ts';
import { NetworkWatch, networkAddresses } from './network-watch.ts';
import { mayUseProxy, type PoolOptions, type Pools, poolFactory } from './pools.ts';

/** How `createHttp` connects. */
export interface HttpOptions extends PoolOptions {
  /** Called with each address, resolved or literal, before a connection is made (.github/SECURITY.md, attack 11). */
  readonly allowAddress?: AllowAddress;
  /** Name resolution; by default `dns.lookup`. */
  readonly lookup?: LookupFunction;
  /** The current addresses of this machine as one string; by default those of its interfaces. */
  readonly networkAddresses?: () => string;
}

/** Makes the program's HTTP client. It returns redirects like any other response, decodes no content and repeats no request. */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const { allowAddress, env } = options;
  const lookup = localLookup(options.lookup);
  const create = await poolFactory(
    options,
    allowAddress === undefined ? lookup : publicLookup(lookup, allowAddress),
  );
  let pools = create();
  const leaving = new Set<Pools>();
  const network = new NetworkWatch(options.networkAddresses ?? networkAddresses);
  const dropIdle = () => {
    const old = pools;
    pools = create();
    leaving.add(old);
    const gone = () => leaving.delete(old);
    old.close().then(gone, gone);
  };
  const send = (request: HttpRequest) => {
    if (network.changed()) dropIdle();
    return exchange(pools.of(request.url), request);
  };

  /** Checks the addresses that our lookup does not see: literals are not looked up, and a proxy looks up names itself. */
  const sendGuarded = async (request: HttpRequest, allow: AllowAddress): Promise<HttpResponse> => {
    const { url } = request;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const isAllowed =
      isIP(host) !== 0
        ? allow(host, host)
        : !mayUseProxy(url, env) || (await mayAskProxyFor(host, lookup, allow));
    if (!isAllowed) throw httpFailure(addressRefused(host), url, false);
    return send(request);
  };

  return {
    request: allowAddress === undefined ? send : (request) => sendGuarded(request, allowAddress),
    dropIdle,
    close: async () => {
      await Promise.all([pools, ...leaving].map((each) => each.destroy()));
    },
  };
}
