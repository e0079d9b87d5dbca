import { describe, expect, test } from 'vitest';
import { InsecureUrlError, RefusedAddressError } from '../../../../src/auth/errors/oauth-errors.ts';
import { createAddressGuard } from '../../../../src/auth/http/address-policy.ts';
import { checkDiscoveredUrl, type UrlPolicy } from '../../../../src/auth/http/url-policy.ts';

function policy(server: string, allowHttp = false): UrlPolicy {
  const url = new URL(server);
  return { server: url, allowHttp, addresses: createAddressGuard(url) };
}

const publicServer = policy('https://mcp.example/mcp');
const localServer = policy('http://127.0.0.1:8080/mcp');

function check(text: string, given: UrlPolicy = publicServer): string {
  return checkDiscoveredUrl(text, 'the authorization endpoint', given).href;
}

describe('SECURITY.md, attacks 1, 3, 12: refused, with the reason', () => {
  test.each([
    ['javascript:alert(1)', 'is not https'],
    ['JavaScript:alert(1)', 'is not https'],
    ['javascript://as.example/%0aalert(1)', 'is not https'],
    ['file:///etc/passwd', 'is not https'],
    ['data:text/html,<script>alert(1)</script>', 'is not https'],
    ['vbscript:x', 'is not https'],
    ['ms-settings:privacy', 'is not https'],
    ['vscode://file/x', 'is not https'],
    ['ftp://as.example/', 'is not https'],
    ['ws://as.example/', 'is not https'],
    ['blob:https://as.example/1', 'is not https'],
    ['view-source:https://as.example/', 'is not https'],
    ['about:blank', 'is not https'],
    ['http://as.example/authorize', 'http is for loopback'],
    ['http://10.0.0.1/authorize', 'http is for loopback'],
    ['http://localhost.example/', 'http is for loopback'],
    ['http://foo.localhost/', 'http is for loopback'],
    ['--help', 'is not an absolute URL'],
    ['-e', 'is not an absolute URL'],
    ['', 'white space, control or non-ASCII'],
    ['/authorize', 'is not an absolute URL'],
    ['https://', 'is not an absolute URL'],
    ['https://as.example:99999/', 'is not an absolute URL'],
    [' https://as.example/', 'white space'],
    ['ht\ntps://as.example/', 'white space'],
    ['https://as.example/\u001b[2J', 'white space'],
    ['https://as.example/a b', 'white space'],
    ['https://аs.example/', 'non-ASCII'],
    ['https://user@as.example/', 'user information'],
    ['https://user:secret@as.example/', 'user information'],
    ['https://:secret@as.example/', 'user information'],
    ['https://mcp.example@evil.example/', 'user information'],
    ['https://as.example/#', 'fragment'],
    [`https://as.example/${'a'.repeat(2048)}`, 'longer than 2048'],
  ])('%j %s', (text, fault) => {
    expect(() => check(text)).toThrow(InsecureUrlError);
    expect(() => check(text)).toThrow(fault);
    expect(() => check(text)).toThrow(/^the authorization endpoint "/);
  });
});

describe('accepted', () => {
  test.each([
    ['https://as.example/authorize?a=1', publicServer],
    ['https://as.example:8443/', publicServer],
    ['https://10.0.0.1.example/', publicServer],
    ['http://127.0.0.1:9000/authorize', localServer],
    ['http://localhost:9000/authorize', localServer],
    ['http://[::1]:9000/authorize', localServer],
    ['https://as.example/', localServer],
    ['http://10.1.2.3:8080/authorize', policy('http://10.1.2.3:8080/mcp', true)],
    ['http://mcp.intra/authorize', policy('http://mcp.intra/mcp', true)],
  ])('%s', (text, given) => {
    expect(check(text, given)).toBe(text);
  });

  test('the longest address', () => {
    const longest = `https://as.example/${'a'.repeat(2048 - 19)}`;
    expect(check(longest)).toBe(longest);
  });

  test.each(['ws://127.0.0.1:9000/', 'ftp://localhost/', 'wss://[::1]/'])(
    '%s is not allowed, not even on this machine',
    (text) => {
      expect(() => check(text, localServer)).toThrow('is not https');
    },
  );

  test('shell metacharacters are ordinary characters, and stay in the URL (SECURITY.md, attack 2)', () => {
    expect(check('https://as.example/$(touch$IFS{m});`id`|x')).toBe(
      'https://as.example/$(touch$IFS%7Bm%7D);%60id%60|x',
    );
  });
});

test('--allow-http applies only to the origin that the user named', () => {
  const given = policy('http://mcp.intra:8080/mcp', true);
  expect(check('http://mcp.intra:8080/token', given)).toBe('http://mcp.intra:8080/token');
  expect(() => check('http://mcp.intra:9090/token', given)).toThrow(InsecureUrlError);
  expect(() => check('http://as.intra:8080/token', given)).toThrow(InsecureUrlError);
  expect(() => check('http://mcp.intra:8080/token', policy('http://mcp.intra:8080/mcp'))).toThrow(
    InsecureUrlError,
  );
});

test.each([
  'http://localhost:9200/_search',
  'http://127.0.0.1/',
  'http://0x7f000001/',
  'https://[::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://10.0.0.1/',
  'https://169.254.169.254/latest/meta-data',
  'https://[fd00:ec2::254]/',
])('a public server may not point to %s (SECURITY.md, attack 11)', (text) => {
  expect(() => check(text)).toThrow(RefusedAddressError);
});

test('an address is shown in a harmless form (SECURITY.md, attack 24)', () => {
  const hostile = `javascript:\u001b[31m\u202e${'x'.repeat(5_000)}\r\n"`;
  try {
    check(hostile);
    expect.unreachable();
  } catch (error) {
    const { message } = error as Error;
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(message.length).toBeLessThan(300);
  }
});
