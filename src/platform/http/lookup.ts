import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isLocalhostName } from './loopback.ts';

/** Decides whether a connection to `address`, to which `hostname` resolved, may be made. */
export type AllowAddress = (address: string, hostname: string) => boolean;

/** The time limit for looking up a name here that a proxy will resolve anyway; a resolver that works answers sooner. */
const ADVANCE_LOOKUP_LIMIT_MS = 2_000;

/**
 * `dns.lookup`, but without asking a name server for `localhost` and the names under it (RFC 6761 §6.3): the hosts file may not contain
 * them all.
 */
export function localLookup(lookup: LookupFunction = dnsLookup as LookupFunction): LookupFunction {
  return (hostname, options, callback) =>
    lookup(isLocalhostName(hostname) ? 'localhost' : hostname, options, callback);
}

/** A lookup that fails with ERR_ADDRESS_REFUSED unless `allowAddress` allows every address of the name. */
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
 * Whether a proxy may be asked to connect to this name, as far as a lookup from here can tell. A name that does not resolve here is
 * allowed: in a network that is closed except for a proxy no name does, and the proxy then decides where it leads.
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

/** One forbidden address among several is enough to refuse them all, because we do not choose which of them is used. */
function areAllowed(found: readonly LookupAddress[], hostname: string, allowAddress: AllowAddress): boolean {
  // No early exit: `allowAddress` also learns from each address where the server is.
  return found.map(({ address }) => allowAddress(address, hostname)).every(Boolean);
}

/** The error for a connection to an address that is not allowed; `httpFailure` recognizes its code. */
export function addressRefused(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`refused to connect to ${host}`), { code: 'ERR_ADDRESS_REFUSED' });
}
