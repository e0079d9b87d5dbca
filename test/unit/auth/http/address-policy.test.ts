import { describe, expect, test } from 'vitest';
import { createAddressGuard, mayLeadTo, reachOfHost } from '../../../../src/auth/http/address-policy.ts';
import type { Reach } from '../../../../src/auth/http/address-reach.ts';

test('hosts of URLs, in any spelling', () => {
  const reach = (url: string) => reachOfHost(new URL(url).hostname);
  expect(reach('http://0x7f.1/')).toBe('loopback');
  expect(reach('http://2130706433/')).toBe('loopback');
  expect(reach('http://[::ffff:127.0.0.1]/')).toBe('loopback');
  expect(reach('http://LOCALHOST/')).toBe('loopback');
  expect(reach('http://0251.0376.0251.0376/')).toBe('link-local');
  expect(reach('http://127.0.0.1./')).toBe('loopback');
  expect(reach('http://[::127.0.0.1]/')).toBe('loopback');
  expect(reach('http://[64:ff9b::10.0.0.1]/')).toBe('private');
  for (const name of ['localhost.', 'app.localhost', 'App.LocalHost.', 'a.b.localhost']) {
    expect([name, reach(`http://${name}/`)]).toEqual([name, 'loopback']);
  }
  for (const name of ['localhost.example', 'localhost.example.', 'notlocalhost', 'localhost-1.example']) {
    expect([name, reach(`https://${name}/`)]).toEqual([name, undefined]);
  }
});

describe('which server may point to which address', () => {
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
    expect(allowHost('localhost.')).toBe(false);
    expect(allowHost('app.localhost')).toBe(false);
    expect(allowHost('[::1]')).toBe(false);
    expect(allowHost('169.254.169.254')).toBe(false);
  });

  test('a server with a name counts as public until it is reached', () => {
    const { allow, allowHost } = guard('https://mcp.example/');
    expect(allow('10.0.0.7', 'as.example')).toBe(false);
    expect(allow('10.0.0.1', 'mcp.example')).toBe(true);
    expect(allow('10.0.0.7', 'as.example')).toBe(true);
    expect(allowHost('10.0.0.7')).toBe(true);
    expect(allow('169.254.169.254', 'as.example')).toBe(false);
  });

  test('a trailing dot does not make another host', () => {
    const { allow, vouchFor } = guard('https://mcp.example./');
    expect(allow('10.0.0.1', 'mcp.example')).toBe(true);
    expect(allow('8.8.8.8', 'MCP.example.')).toBe(true);
    expect(allow('10.0.0.7', 'as.example')).toBe(false);
    vouchFor('as.example.');
    expect(allow('10.0.0.7', 'as.example')).toBe(true);
  });

  test('a name server that changes its answer gains nothing', () => {
    const { allow } = guard('https://mcp.example/');
    expect(allow('10.0.0.1', 'mcp.example')).toBe(true);
    expect(allow('8.8.8.8', 'mcp.example')).toBe(true);
    expect(allow('10.0.0.1', 'mcp.example')).toBe(true);
    expect(allow('10.0.0.7', 'as.example')).toBe(false);
  });

  test('every address at which a server is reached counts, the most public one permanently', () => {
    const { allow } = guard('https://mcp.example/');
    const lead = () =>
      ['127.0.0.1', '169.254.1.1', '10.0.0.7'].map((address) => allow(address, 'as.example'));
    expect(allow('127.0.0.1', 'mcp.example')).toBe(true);
    expect(lead()).toEqual([true, true, true]);
    expect(allow('169.254.1.1', 'mcp.example')).toBe(true);
    expect(lead()).toEqual([false, true, false]);
    expect(allow('127.0.0.1', 'mcp.example')).toBe(true);
    expect(lead()).toEqual([false, true, false]);
    expect(allow('10.0.0.1', 'mcp.example')).toBe(true);
    expect(lead()).toEqual([true, false, true]);
    expect(allow('169.254.1.1', 'mcp.example')).toBe(true);
    expect(lead()).toEqual([true, false, true]);
  });

  test('a trusted host may be private, never link-local', () => {
    const { allow, allowHost, vouchFor } = guard('https://mcp.example/');
    vouchFor('as.example');
    vouchFor('[::1]');
    expect(allow('10.0.0.7', 'as.example')).toBe(true);
    expect(allow('10.0.0.7', 'other.example')).toBe(false);
    expect(allow('169.254.169.254', 'as.example')).toBe(false);
    expect(allowHost('::1')).toBe(true);
    vouchFor('169.254.169.254');
    expect(allowHost('169.254.169.254')).toBe(false);
  });

  test('a server on this machine may point anywhere', () => {
    for (const server of ['http://127.0.0.1:1/', 'http://localhost:1/', 'http://[::1]:1/']) {
      expect(guard(server).allowHost('127.0.0.1')).toBe(true);
      expect(guard(server).allow('10.0.0.7', 'as.example')).toBe(true);
    }
  });
});
