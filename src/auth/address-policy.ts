import { BlockList, isIP } from 'node:net';

/** How far an address can be reached from, from this machine outwards. */
export type Reach = 'loopback' | 'link-local' | 'private' | 'public';

type Subnet = readonly [network: string, prefix: number];

/** 0.0.0.0 and :: are here because connecting to them reaches this machine. */
const LOOPBACK: readonly Subnet[] = [
  ['127.0.0.0', 8],
  ['0.0.0.0', 8],
  ['::1', 128],
  ['::', 128],
];
/** Cloud metadata services live at 169.254.169.254. */
const LINK_LOCAL: readonly Subnet[] = [
  ['169.254.0.0', 16],
  ['fe80::', 10],
];
/** RFC 6890 and its registries: everything else that is not globally reachable, and what tunnels to it (6to4, Teredo). */
const PRIVATE: readonly Subnet[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fec0::', 10],
  ['ff00::', 8],
];
/** RFC 6052: the last 32 bits are an IPv4 address, so that a network without IPv4 reaches it. */
const NAT64_PREFIX = /^64:ff9b::([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

const loopback = blockList(LOOPBACK);
const linkLocal = blockList(LINK_LOCAL);
const nonPublic = blockList(PRIVATE);

function blockList(subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family(network));
  return list;
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** An IP address in text → its reach. IPv4 in IPv6 (mapped, NAT64) counts as the IPv4 address. */
export function reachOf(address: string): Reach {
  const inner = NAT64_PREFIX.exec(address.toLowerCase());
  if (inner !== null) {
    const [high, low] = [Number.parseInt(inner[1] ?? '', 16), Number.parseInt(inner[2] ?? '', 16)];
    return reachOf([high >> 8, high & 255, low >> 8, low & 255].join('.'));
  }
  const kind = family(address);
  if (loopback.check(address, kind)) return 'loopback';
  if (linkLocal.check(address, kind)) return 'link-local';
  return nonPublic.check(address, kind) ? 'private' : 'public';
}

/** What a URL's host says without asking a resolver: its reach for an IP literal or `localhost`, undefined for a name. */
export function reachOfHost(hostname: string): Reach | undefined {
  const host = bare(hostname);
  if (isIP(host) !== 0) return reachOf(host);
  return host === 'localhost' ? 'loopback' : undefined;
}

/**
 * Whether a server may lead to an address (THREATS 11). A public one only to public ones; a private one not to link-local ones, where
 * a cloud's metadata service gives credentials to whoever asks; one on this machine anywhere.
 */
export function mayLeadTo(server: Reach, target: Reach): boolean {
  if (target === 'public' || server === 'loopback' || server === target) return true;
  return server === 'private' && target === 'loopback';
}

/** The policy for one MCP server, fed by what is seen when connecting. */
export interface AddressGuard {
  /** For the HTTP client, asked for each address before a connection is made. */
  readonly allow: (address: string, hostname: string) => boolean;
  /** For a discovered URL, before anything is resolved; `true` for a name leaves the decision to `allow`. */
  readonly allowHost: (hostname: string) => boolean;
  /** A host that an earlier sign-in has checked and recorded may be private; link-local it still may not be. */
  readonly vouchFor: (hostname: string) => void;
}

const OPENNESS: readonly Reach[] = ['loopback', 'link-local', 'private', 'public'];

/**
 * The reach of a server with a name is that of the addresses it is really reached at, the most public one if they change: a name
 * server that answers now a public, now a private address gains nothing. Before the first connection it counts as public.
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

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
