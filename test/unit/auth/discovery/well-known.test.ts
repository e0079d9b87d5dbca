import { buildDiscoveryUrls } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import {
  authorizationServerMetadataUrls,
  protectedResourceMetadataUrls,
} from '../../../../src/auth/discovery/well-known.ts';

const hrefs = (urls: URL[]) => urls.map(({ href }) => href);

test.each([
  ['https://h', ['https://h/.well-known/oauth-protected-resource']],
  [
    'https://h/mcp',
    ['https://h/.well-known/oauth-protected-resource/mcp', 'https://h/.well-known/oauth-protected-resource'],
  ],
  [
    'https://h/?t=1',
    ['https://h/.well-known/oauth-protected-resource?t=1', 'https://h/.well-known/oauth-protected-resource'],
  ],
  [
    'https://h:1/a/mcp/?t=1',
    [
      'https://h:1/.well-known/oauth-protected-resource/a/mcp?t=1',
      'https://h:1/.well-known/oauth-protected-resource',
    ],
  ],
])('protected resource metadata of %s', (server, expected) => {
  expect(hrefs(protectedResourceMetadataUrls(new URL(server)))).toEqual(expected);
});

test.each(['https://h', 'https://h/', 'https://h:8/t', 'https://h/t/', 'https://h/a/b', 'https://h/a%20b/c'])(
  'authorization server metadata of %s: the places of the SDK, in its order',
  (issuer) => {
    const theirs = buildDiscoveryUrls(issuer).map(({ url }) => url);
    expect(hrefs(authorizationServerMetadataUrls(new URL(issuer)))).toEqual(hrefs(theirs));
  },
);

test('a path that begins like a host stays a path', () => {
  for (const { host } of authorizationServerMetadataUrls(new URL('https://h//evil.example/x'))) {
    expect(host).toBe('h');
  }
  for (const { host } of protectedResourceMetadataUrls(new URL('https://h//evil.example/x'))) {
    expect(host).toBe('h');
  }
});
