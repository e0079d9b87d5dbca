import { isIP } from 'node:net';
import { isLocalhostName } from '../../platform/http/loopback.ts';
import { type Reach, reachOf } from './address-reach.ts';

/**
 * The reach of a URL's host without a DNS lookup: that of an IP literal, undefined for a name. RFC 6761 §6.3: `localhost` and each name under it is this
 * machine.
 */
export function reachOfHost(hostname: string): Reach | undefined {
  const host = bare(hostname);
  if (isIP(host) !== 0) return reachOf(host);
  return isLocalhostName(host) ? 'loopback' : undefined;
}

/**
 * Whether a server may point to an address (.github/SECURITY.md, attack 11). A public one only to public ones; a private one not to link-local ones, where a
 * cloud's metadata service gives credentials to any client; one on this machine anywhere.
 */
export function mayLeadTo(server: Reach, target: Reach): boolean {
  if (target === 'public' || server === 'loopback' || server === target) return true;
  return server === 'private' && target === 'loopback';
}

/** The policy for one MCP server; it learns from each connection. */
export interface AddressGuard {
  /** For the HTTP client, called for each address before a connection is made. */
  readonly allow: (address: string, hostname: string) => boolean;
  /** For a discovered URL, before a DNS lookup; `true` for a name leaves the decision to `allow`. */
  readonly allowHost: (hostname: string) => boolean;
  /** A host that an earlier sign-in has checked and recorded may be private, but not link-local. */
  readonly vouchFor: (hostname: string) => void;
}

const OPENNESS: readonly Reach[] = ['loopback', 'link-local', 'private', 'public'];

/**
 * The reach of a server with a name is that of the addresses at which it is reached, the most public one if they change: a name server that alternates between
 * public and private addresses gains nothing. Before the first connection it counts as public.
 */
export function createAddressGuard(server: URL): AddressGuard {
  const byName = reachOfHost(server.hostname);
  const vouched = new Set<string>();
  let seen: Reach | undefined;
  const own = bare(server.hostname);

  const reach = () => byName ?? seen ?? 'public';
  return {
    allow: (address, hostname) => {
      const target = reachOf(address);
      if (bare(hostname) === own) {
        if (seen === undefined || OPENNESS.indexOf(target) > OPENNESS.indexOf(seen)) seen = target;
        return true;
      }
      if (vouched.has(bare(hostname)) && target !== 'link-local') return true;
      return mayLeadTo(reach(), target);
    },
    allowHost: (hostname) => {
      const target = reachOfHost(hostname);
      if (target === undefined || bare(hostname) === own) return true;
      if (vouched.has(bare(hostname)) && target !== 'link-local') return true;
      return mayLeadTo(reach(), target);
    },
    vouchFor: (hostname) => vouched.add(bare(hostname)),
  };
}

/** Without the brackets of an IPv6 literal and the trailing dot of an absolute name (RFC 1034 §3.1), which does not make another host. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase();
}
