import { expect, test } from 'vitest';
import { type Reach, reachOf } from '../../../../src/auth/http/address-reach.ts';

test.each<[Reach, string[]]>([
  ['loopback', ['127.0.0.1', '127.255.255.254', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', '::ffff:7f00:1']],
  ['link-local', ['169.254.169.254', 'fe80::1', 'febf::1', 'fe80::1%eth0', '::ffff:169.254.169.254']],
  [
    'private',
    ['10.0.0.1', '172.31.255.255', '192.168.1.1', '224.0.0.1', 'fd00:ec2::254', 'fec0::1', 'ff02::1'],
  ],
  ['private', ['4000::1', '5f00::1', 'fe00::1', '1::1']], // no global unicast
  ['public', ['8.8.8.8', '172.15.255.255', '172.32.0.1', '100.63.255.255', '2606:4700::1', '::ffff:8.8.8.8']],
  ['link-local', ['', 'localhost', '127.1', '1.2.3.4.5', '[::1]', ':::']], // no address
])('%s: %j', (reach, addresses) => {
  for (const address of addresses) expect([address, reachOf(address)]).toEqual([address, reach]);
});

test.each<[Reach, string, string]>([
  ['loopback', '127.0.0.1', '7f00:1'],
  ['link-local', '169.254.169.254', 'a9fe:a9fe'],
  ['private', '10.0.0.1', 'a00:1'],
  ['public', '8.8.8.8', '808:808'],
])('%s, as %s is, in each form of IPv6 that stands for it', (reach, dotted, hex) => {
  const [high = '', low = ''] = hex.split(':');
  const forms = [
    ...['::', '::ffff:', '::ffff:0:', '64:ff9b::'].flatMap((prefix) => [prefix + dotted, prefix + hex]),
    ...['0:0:0:0:0:0:', '0000:0:0:0:0:FFFF:', '::FFFF:0000:', '64:ff9b:0:0:0:0:'].map((one) => one + hex),
    ...['0064:FF9B:0000:0:0::', '64:ff9b:0:0::', '64:ff9b:0:0:0:0:'].map((one) => one + dotted),
    `::ffff:${dotted}%lo`,
    `::0:${high.padStart(4, '0')}:${low.padStart(4, '0')}`,
  ];
  for (const form of forms) expect([form, reachOf(form)]).toEqual([form, reach]);
});

test.each<[Reach, string[]]>([
  ['private', ['64:ff9b:1::10.0.0.1', '64:ff9b:1::8.8.8.8', '2002:a00:1::', '2002:808:808::1', '2001::1']],
  ['link-local', ['64:ff9b:1::169.254.169.254', '64:ff9b:1:0:0:0:a9fe:a9fe', '64:ff9b:1:abcd::a9fe:a9fe']],
  ['link-local', ['64:ff9b:1:a9fe:a9:fe00::', '64:ff9b:1:a9:fe:a9fe::', '64:ff9b:1:0:a9:fea9:fe00:0']],
  ['link-local', ['2002:a9fe:a9fe::1', '2001:0:a9fe:a9fe::', '2001:0:808:808::5601:5601']],
])('%s at the end of a tunnel or a local translator: %j', (reach, addresses) => {
  for (const address of addresses) expect([address, reachOf(address)]).toEqual([address, reach]);
});

test.each([
  ['no form of an IPv4 address', '808:808'],
  ['no end of a tunnel', 'a9fe:a9fe'],
])('%s: one bit outside each prefix', (_, hex) => {
  const beside = ['::1:0:', '::0:1:', '::ffff:ffff:', '::1:ffff:', '::ffff:1:', '1::', '0:1::', '0:0:1::'];
  beside.push('0:0:0:1::', '0:0:0:1:0:ffff:', '64:ff9b::1:', '64:ff9b::1:0:', '64:ff9b:0:1::', '64:ff9b:2::');
  beside.push('64:ff9c::', '65:ff9b::', '64:ff9c:1::', '65:ff9b:1::', '1:2:1::', '64:1:1::', '1:ff9b::');
  for (const prefix of beside) expect([prefix, reachOf(prefix + hex)]).toEqual([prefix, 'private']);
});

test.each(['2001:1:a9fe:a9fe::', '1:0:a9fe:a9fe::', '1:0::5601:5601', '2001:1::5601:5601', '1:a9fe:a9fe::'])(
  '%s is outside the prefixes of tunnels',
  (address) => {
    expect(reachOf(address)).toBe('private');
  },
);

/** The IANA IPv4 and IPv6 Special-Purpose Address Registries: each block with its column "Globally Reachable". */
const REGISTRY: readonly (readonly [block: string, isGlobal: boolean | 'n/a', name: string])[] = [
  ['0.0.0.0/8', false, 'this network'],
  ['0.0.0.0/32', false, 'this host on this network'],
  ['10.0.0.0/8', false, 'private use'],
  ['100.64.0.0/10', false, 'shared address space'],
  ['127.0.0.0/8', false, 'loopback'],
  ['169.254.0.0/16', false, 'link-local'],
  ['172.16.0.0/12', false, 'private use'],
  ['192.0.0.0/24', false, 'IETF protocol assignments'],
  ['192.0.0.0/29', false, 'IPv4 service continuity'],
  ['192.0.0.8/32', false, 'IPv4 dummy address'],
  ['192.0.0.9/32', true, 'Port Control Protocol anycast'],
  ['192.0.0.10/32', true, 'TURN anycast'],
  ['192.0.0.170/32', false, 'NAT64/DNS64 discovery'],
  ['192.0.0.171/32', false, 'NAT64/DNS64 discovery'],
  ['192.0.2.0/24', false, 'documentation'],
  ['192.31.196.0/24', true, 'AS112-v4'],
  ['192.52.193.0/24', true, 'AMT'],
  ['192.88.99.0/24', 'n/a', '6to4 relay anycast, deprecated'],
  ['192.88.99.2/32', false, '6a44 relay anycast'],
  ['192.168.0.0/16', false, 'private use'],
  ['192.175.48.0/24', true, 'direct delegation AS112 service'],
  ['198.18.0.0/15', false, 'benchmarking'],
  ['198.51.100.0/24', false, 'documentation'],
  ['203.0.113.0/24', false, 'documentation'],
  ['240.0.0.0/4', false, 'reserved'],
  ['255.255.255.255/32', false, 'limited broadcast'],
  ['::1/128', false, 'loopback'],
  ['::/128', false, 'unspecified'],
  ['::ffff:0:0/96', false, 'IPv4-mapped'],
  ['64:ff9b::/96', true, 'IPv4-IPv6 translation'],
  ['64:ff9b:1::/48', false, 'IPv4-IPv6 translation, local use'],
  ['100::/64', false, 'discard-only'],
  ['100:0:0:1::/64', false, 'dummy prefix'],
  ['2001::/23', false, 'IETF protocol assignments'],
  ['2001::/32', 'n/a', 'Teredo'],
  ['2001:1::1/128', true, 'Port Control Protocol anycast'],
  ['2001:1::2/128', true, 'TURN anycast'],
  ['2001:1::3/128', true, 'DNS-SD service registration anycast'],
  ['2001:2::/48', false, 'benchmarking'],
  ['2001:3::/32', true, 'AMT'],
  ['2001:4:112::/48', true, 'AS112-v6'],
  ['2001:10::/28', 'n/a', 'ORCHID, deprecated'],
  ['2001:20::/28', true, 'ORCHIDv2'],
  ['2001:30::/28', true, 'drone remote identifiers'],
  ['2001:db8::/32', false, 'documentation'],
  ['2002::/16', 'n/a', '6to4'],
  ['2620:4f:8000::/48', true, 'direct delegation AS112 service'],
  ['3fff::/20', false, 'documentation'],
  ['5f00::/16', false, 'SRv6 segment identifiers'],
  ['fc00::/7', false, 'unique-local'],
  ['fe80::/10', false, 'link-local'],
];
/** Forms of IPv4 addresses, with a test of their own above: the first and the last of those are not public. */
const STANDS_FOR_IPV4 = new Set(['::ffff:0:0/96', '64:ff9b::/96']);
/** Anycast and identifiers in blocks that are otherwise closed: what answers there, if anything, is the network's own. */
const WITHIN_CLOSED = /^(192\.0\.0\.|2001:)/;

test.each(REGISTRY)('%s, globally reachable: %s (%s)', (block, isGlobal) => {
  const isPublic = isGlobal === true && !STANDS_FOR_IPV4.has(block) && !WITHIN_CLOSED.test(block);
  for (const address of [first(block), last(block)]) {
    expect([address, reachOf(address) === 'public']).toEqual([address, isPublic]);
  }
});

test('addresses outside the registered blocks are public', () => {
  const beside = ['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.128.0.0', '126.255.255.255', '128.0.0.0'];
  beside.push('169.253.255.255', '169.255.0.0', '192.0.1.0', '192.0.3.0', '192.88.98.255', '192.88.100.0');
  beside.push('198.17.255.255', '198.20.0.0', '198.51.99.255', '203.0.114.0', '223.255.255.255');
  beside.push(
    '2001:200::',
    '2001:db7:ffff::',
    '2001:db9::',
    '2003::',
    '2000::1',
    '3ffe:ffff::1',
    '3fff:1000::',
  );
  for (const address of beside) expect([address, reachOf(address)]).toEqual([address, 'public']);
});

function first(block: string): string {
  return block.replace(/\/.*/, '');
}

/** The last address of a block: its first with all the bits set that are its own. */
function last(block: string): string {
  const [address = '', prefix = ''] = block.split('/');
  const isFour = address.includes('.');
  const size = isFour ? 32 : 128;
  const free = (1n << BigInt(size - Number(prefix))) - 1n;
  const value = (isFour ? toNumber4(address) : toNumber6(address)) | free;
  return isFour ? toText(value, 4, 8n, 10, '.') : toText(value, 8, 16n, 16, ':');
}

function toNumber4(address: string): bigint {
  return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function toNumber6(address: string): bigint {
  const [head = '', tail = ''] = address
    .split('::')
    .map((part) => part.split(':').filter(Boolean)) as never as [string[], string[]];
  const groups = [...head, ...new Array(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

function toText(value: bigint, parts: number, bits: bigint, radix: number, between: string): string {
  return Array.from({ length: parts }, (_, at) =>
    ((value >> (bits * BigInt(parts - 1 - at))) & ((1n << bits) - 1n)).toString(radix),
  ).join(between);
}
