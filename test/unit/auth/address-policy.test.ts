import { describe, expect, test } from 'vitest';
import {
  createAddressGuard,
  mayLeadTo,
  type Reach,
  reachOf,
  reachOfHost,
} from '../../../src/auth/address-policy.ts';

test.each<[Reach, string[]]>([
  ['loopback', ['127.0.0.1', '127.255.255.254', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', '::ffff:7f00:1']],
  ['link-local', ['169.254.169.254', 'fe80::1', 'febf::1', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe']],
  [
    'private',
    [
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '100.64.0.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      'fd00:ec2::254',
      'fc00::1',
      'fec0::1',
      'ff02::1',
      '2002:7f00:1::',
      '2001:0:1::',
      '2001:db8::1',
      '::ffff:10.0.0.1',
      '64:ff9b::a00:1',
    ],
  ],
  [
    'public',
    [
      '8.8.8.8',
      '172.15.255.255',
      '172.32.0.1',
      '100.63.255.255',
      '2606:4700::1',
      '::ffff:8.8.8.8',
      '64:ff9b::808:808',
    ],
  ],
])('%s: %j', (reach, addresses) => {
  for (const address of addresses) expect([address, reachOf(address)]).toEqual([address, reach]);
});

test('hosts of URLs, in whatever spelling', () => {
  const reach = (url: string) => reachOfHost(new URL(url).hostname);
  expect(reach('http://0x7f.1/')).toBe('loopback');
  expect(reach('http://2130706433/')).toBe('loopback');
  expect(reach('http://[::ffff:127.0.0.1]/')).toBe('loopback');
  expect(reach('http://LOCALHOST/')).toBe('loopback');
  expect(reach('http://0251.0376.0251.0376/')).toBe('link-local');
  expect(reach('https://localhost.example/')).toBeUndefined();
});

describe('who may lead where', () => {
  const reaches: Reach[] = ['loopback', 'link-local', 'private', 'public'];
  test.each<[Reach, Reach[]]>([
    ['public', ['public']],
    ['private', ['loopback', 'private', 'public']],
    ['link-local', ['link-local', 'public']],
    ['loopback', ['loopback', 'link-local', 'private', 'public']],
  ])('%s', (server, allowed) => {
    expect(reaches.filter((target) => mayLeadTo(server, target))).toEqual(allowed);
  });
});

describe('the guard', () => {
  const guard = (server: string) => createAddressGuard(new URL(server));

  test('a server at a public address', () => {
    const { allow, allowHost } = guard('https://8.8.8.8/mcp');
    expect(allow('1.1.1.1', 'as.example')).toBe(true);
    expect(allow('10.0.0.1', 'as.example')).toBe(false);
    expect(allowHost('as.example')).toBe(true);
    expect(allowHost('localhost')).toBe(false);
    expect(allowHost('[::1]')).toBe(false);
    expect(allowHost('169.254.169.254')).toBe(false);
  });

  test('a server with a name counts as public until it was reached', () => {
    const { allow, allowHost } = guard('https://mcp.example/');
    expect(allow('10.0.0.7', 'as.example')).toBe(false);
    expect(allow('10.0.0.1', 'mcp.example')).toBe(true);
    expect(allow('10.0.0.7', 'as.example')).toBe(true);
    expect(allowHost('10.0.0.7')).toBe(true);
    expect(allow('169.254.169.254', 'as.example')).toBe(false);
  });

  test('a name server that changes its mind gains nothing', () => {
    const { allow } = guard('https://mcp.example/');
    expect(allow('10.0.0.1', 'mcp.example')).toBe(true);
    expect(allow('8.8.8.8', 'mcp.example')).toBe(true);
    expect(allow('10.0.0.1', 'mcp.example')).toBe(true);
    expect(allow('10.0.0.7', 'as.example')).toBe(false);
  });

  test('a host that was vouched for may be private, never link-local', () => {
    const { allow, allowHost, vouchFor } = guard('https://mcp.example/');
    vouchFor('as.example');
    vouchFor('[::1]');
    expect(allow('10.0.0.7', 'as.example')).toBe(true);
    expect(allow('10.0.0.7', 'other.example')).toBe(false);
    expect(allow('169.254.169.254', 'as.example')).toBe(false);
    expect(allowHost('::1')).toBe(true);
  });

  test('on this machine everything may be led to', () => {
    for (const server of ['http://127.0.0.1:1/', 'http://localhost:1/', 'http://[::1]:1/']) {
      expect(guard(server).allowHost('127.0.0.1')).toBe(true);
      expect(guard(server).allow('10.0.0.7', 'as.example')).toBe(true);
    }
  });
});
