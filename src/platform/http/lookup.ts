import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isLocalhostName } from './loopback.ts';

export type AllowAddress = (address: string, hostname: string) => boolean;

/** How long a name that a proxy will resolve is looked up here first: an answer that is to be had comes sooner. */
const ADVANCE_LOOKUP_LIMIT_MS = 2_000;

/** `dns.lookup`, which asks no name server for `localhost` and the names under it (RFC 6761 §6.3): the hosts file may not have them all. */
export function localLookup(lookup: LookupFunction = dnsLookup as LookupFunction): LookupFunction {
  return (hostname, options, callback) =>
    lookup(isLocalhostName(hostname) ? 'localhost' : hostname, options, callback);
}

/** Names resolved, each address asked for before it is connected to. */
export function publicLookup(lookup: LookupFunction, allowAddress: AllowAddress): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 4);
      const addresses = Array.isArray(found) ? found : [];
      const first = addresses[0];
      if (first === undefined || !areAllowed(addresses, hostname, allowAddress)) {
        return callback(addressRefused(hostname), '', 4);
      }
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/**
 * Whether a name that a proxy is going to resolve may be asked for, as far as it can be seen from here. A name that does not resolve here
 * may: in networks that are closed but for a proxy none does, and where it leads is then the proxy's to say.
 */
export async function mayAskProxyFor(
  hostname: string,
  lookup: LookupFunction,
  allowAddress: AllowAddress,
): Promise<boolean> {
  const found = await new Promise<readonly LookupAddress[]>((resolve) => {
    const timer = setTimeout(() => resolve([]), ADVANCE_LOOKUP_LIMIT_MS);
    lookup(hostname, { all: true }, (error, addresses) => {
      clearTimeout(timer);
      resolve(error || !Array.isArray(addresses) ? [] : addresses);
    });
  });
  return areAllowed(found, hostname, allowAddress);
}

/** One forbidden address among several is enough: which of them is connected to is not ours to say. */
function areAllowed(found: readonly LookupAddress[], hostname: string, allowAddress: AllowAddress): boolean {
  // All are asked for: the guard learns from each where the server is.
  return found.map(({ address }) => allowAddress(address, hostname)).every(Boolean);
}

export function addressRefused(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`refused to connect to ${host}`), { code: 'ERR_ADDRESS_REFUSED' });
}
