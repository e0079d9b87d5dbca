import { BlockList, isIP } from 'node:net';

/** From how far away an address can be reached, starting from this machine. */
export type Reach = 'loopback' | 'link-local' | 'private' | 'public';

type Subnet = readonly [network: string, prefix: number];
type Groups = readonly [number, number, number, number, number, number, number, number];

/** 0.0.0.0 and :: are here because connecting to them reaches this machine. */
const LOOPBACK: readonly Subnet[] = [
  ['127.0.0.0', 8],
  ['0.0.0.0', 8],
  ['::1', 128],
  ['::', 128],
];
/** Cloud metadata services are at 169.254.169.254. */
const LINK_LOCAL: readonly Subnet[] = [
  ['169.254.0.0', 16],
  ['fe80::', 10],
];
/**
 * Addresses that the IANA special-purpose address registries (RFC 6890) do not call globally reachable, multicast, and all IPv6 addresses outside global
 * unicast (RFC 4291 §2.4 with the IANA registry of the address space: 2000::/3). Two blocks are included completely although they contain anycast addresses
 * that count as reachable, 192.0.0.0/24 and 2001::/23: those lead to the nearest gateway, which belongs to the network itself.
 */
const PRIVATE: readonly Subnet[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['4000::', 2],
  ['8000::', 1],
];

type Family = 'ipv4' | 'ipv6';

const loopback = blockLists(LOOPBACK);
const linkLocal = blockLists(LINK_LOCAL);
const nonPublic = blockLists(PRIVATE);

/** One list for each family: a BlockList takes IPv4 addresses for their IPv4-mapped forms, and so finds them in IPv6 blocks. */
function blockLists(subnets: readonly Subnet[]): Readonly<Record<Family, BlockList>> {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const [network, prefix] of subnets) {
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    lists[family].addSubnet(network, prefix, family);
  }
  return lists;
}

/**
 * The reach of an IP address in text form. An IPv6 address that stands for an IPv4 address has the reach of that one; text that is not an address counts as
 * link-local, to which no other server may point.
 */
export function reachOf(address: string): Reach {
  if (isIP(address) === 4) return reachInLists(address, 'ipv4');
  if (isIP(address) !== 6) return 'link-local';
  const groups = ipv6Groups(address);
  const own = reachInLists(groups.map((group) => group.toString(16)).join(':'), 'ipv6');
  if (own !== 'private') return own;
  const meant = translatedIpv4(groups);
  if (meant !== undefined) return reachInLists(meant, 'ipv4');
  // A private server may point through the network's own tunnels, but not to a metadata service at their end.
  const ends = tunnelledIpv4(groups).map((end) => reachInLists(end, 'ipv4'));
  return ends.includes('link-local') ? 'link-local' : own;
}

function reachInLists(address: string, family: Family): Reach {
  if (loopback[family].check(address, family)) return 'loopback';
  if (linkLocal[family].check(address, family)) return 'link-local';
  return nonPublic[family].check(address, family) ? 'private' : 'public';
}

/** The eight groups of an IPv6 address in any spelling of RFC 4291 §2.2, without its zone (RFC 4007 §11). */
function ipv6Groups(address: string): Groups {
  const text = address.replace(/%.*$/s, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = text.split('::');
  const groupsOf = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after] as unknown as Groups;
}

/** The IPv4 address of which an IPv6 address is another form. */
function translatedIpv4([g0, g1, g2, g3, g4, g5, g6, g7]: Groups): string | undefined {
  const isCompatible = g4 === 0 && g5 === 0; // RFC 4291 §2.5.5.1
  const isMapped = g4 === 0 && g5 === 0xffff; // RFC 4291 §2.5.5.2
  const isTranslated = g4 === 0xffff && g5 === 0; // RFC 2765 §2.1
  if ((g0 | g1 | g2 | g3) === 0 && (isCompatible || isMapped || isTranslated)) return ipv4(g6, g7);
  const isNat64 = g0 === 0x64 && g1 === 0xff9b && (g2 | g3 | g4 | g5) === 0; // RFC 6052 §2.1
  return isNat64 ? ipv4(g6, g7) : undefined;
}

/** The IPv4 addresses to which a tunnel or a translator inside the network may forward traffic for an IPv6 address. */
function tunnelledIpv4([g0, g1, g2, g3, g4, g5, g6, g7]: Groups): readonly string[] {
  // RFC 8215: a NAT64 prefix for local use, which RFC 6052 §2.2 fills as a /48, /56, /64 or /96. Bits 64 to 71 are skipped.
  if (g0 === 0x64 && g1 === 0xff9b && g2 === 1) {
    const at48 = ipv4(g3, ((g4 & 0xff) << 8) | (g5 >> 8));
    const at56 = ipv4(((g3 & 0xff) << 8) | (g4 & 0xff), g5);
    const at64 = ipv4(((g4 & 0xff) << 8) | (g5 >> 8), ((g5 & 0xff) << 8) | (g6 >> 8));
    return [at48, at56, at64, ipv4(g6, g7)];
  }
  if (g0 === 0x2002) return [ipv4(g1, g2)]; // RFC 3056 §2: 6to4
  // RFC 4380 §4: Teredo contains its server's address, and the client's with each bit inverted.
  if (g0 === 0x2001 && g1 === 0) return [ipv4(g2, g3), ipv4(g6 ^ 0xffff, g7 ^ 0xffff)];
  return [];
}

function ipv4(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
