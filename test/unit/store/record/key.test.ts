import { expect, test } from 'vitest';
import { canonicalServer, credentialKey, type KeyParts } from '../../../../src/store/record/key.ts';

const parts = (server: string, rest: Partial<KeyParts> = {}): KeyParts => ({
  server: new URL(server),
  grant: 'authorization_code',
  profile: 'default',
  ...rest,
});
const BASE = parts('https://mcp.example/mcp');

test.each([
  ['host in capitals', parts('https://MCP.example/mcp')],
  ['default port', parts('https://mcp.example:443/mcp')],
  ['fragment', parts('https://mcp.example/mcp#x')],
  ['user info', parts('https://user:pass@mcp.example/mcp')],
  ['no parameters', { ...BASE, authorizeParams: [] }],
])('shares the login: %s', (_, other) => {
  expect(credentialKey(other)).toBe(credentialKey(BASE));
});

test.each<[string, KeyParts]>([
  ['another path', parts('https://mcp.example/mcp2')],
  ['a trailing slash', parts('https://mcp.example/mcp/')],
  ['a query', parts('https://mcp.example/mcp?a=1')],
  ['another port', parts('https://mcp.example:8443/mcp')],
  ['http', parts('http://mcp.example/mcp')],
  ['resource', { ...BASE, resource: 'https://mcp.example/mcp' }],
  ['scope', { ...BASE, scope: 'read' }],
  ['empty scope', { ...BASE, scope: '' }],
  ['client id', { ...BASE, clientId: 'c' }],
  ['client metadata address', { ...BASE, clientMetadataUrl: 'c' }],
  ['parameter', { ...BASE, authorizeParams: [['audience', 'x']] }],
  ['grant', { ...BASE, grant: 'device_code' }],
  ['profile', { ...BASE, profile: 'work' }],
])('is a login of its own: %s', (_, other) => {
  expect(credentialKey(other)).not.toBe(credentialKey(BASE));
});

test('order does not matter where it has no meaning', () => {
  expect(credentialKey({ ...BASE, scope: 'b a' })).toBe(credentialKey({ ...BASE, scope: 'a  b a' }));
  const one = {
    ...BASE,
    authorizeParams: [
      ['a', '1'],
      ['b', '2'],
    ],
  } as const;
  const other = {
    ...BASE,
    authorizeParams: [
      ['b', '2'],
      ['a', '1'],
    ],
  } as const;
  expect(credentialKey(one)).toBe(credentialKey(other));
});

test('text cannot move from one part into another', () => {
  const a = credentialKey({ ...BASE, clientId: 'x', profile: 'y' });
  const b = credentialKey({ ...BASE, clientId: 'y', profile: 'x' });
  const c = credentialKey({ ...BASE, authorizeParams: [['a', 'b,c']] });
  const d = credentialKey({ ...BASE, authorizeParams: [['a,b', 'c']] });
  expect(new Set([a, b, c, d]).size).toBe(4);
});

test('is a file name, and the same in every version', () => {
  expect(credentialKey(BASE)).toMatch(/^[0-9a-f]{64}$/);
  expect(canonicalServer(new URL('HTTPS://u:p@Mcp.Example:443/a?b#c'))).toBe('https://mcp.example/a?b');
  expect(credentialKey(BASE)).toBe('395f0f1e8304691ad982eafc9aff703832a10fb6f6777ae224f5e5a1cee00c44');
});
