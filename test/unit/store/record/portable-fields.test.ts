import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { tokenHash } from '../../../../src/store/record/key.ts';
import {
  isBound,
  portableRecord,
  readPortable,
  seedFamily,
  writePortable,
} from '../../../../src/store/record/portable.ts';
import type { CredentialRecord } from '../../../../src/store/record/record.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

const NOW = 1_800_000_000_000;
const target = {
  server: 'https://mcp.example/mcp',
  profile: 'work',
  resource: 'https://r.example',
  now: NOW,
};
const client = { client_id: 'c', issuer: 'https://as.example' };
const kindOf = (value: unknown) => readPortable(JSON.stringify(value)).kind;

test('writes every field under its OAuth name', () => {
  const text = writePortable(wholeRecord);
  expect(text.endsWith('}\n')).toBe(true);
  expect(text).toContain('\n  "server"');
  expect(JSON.parse(text)).toEqual({
    server: 'https://mcp.example/mcp',
    resource: 'https://mcp.example/mcp',
    access_token: 'access-token-canary',
    token_type: 'Bearer',
    dpop_jwk: wholeRecord.dpopKey,
    refresh_token: 'refresh-token-canary',
    expires_at: 1_800_003_600,
    scope: 'read write',
    id_token: 'id-token-canary',
    issuer: 'https://as.example',
    client_id: 'client-1',
    client_secret: 'client-secret-canary',
    token_endpoint_auth_method: 'none',
    redirect_uri: 'http://127.0.0.1:4711/callback',
    token_endpoint: 'https://as.example/token',
    revocation_endpoint: 'https://as.example/revoke',
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
  });
});

test('writes a login without tokens and client, and a time with milliseconds', () => {
  const { tokens, client: _, dpopKey, tokenEndpointAuthMethods, ...bare } = wholeRecord;
  const endpoints = { token: 'https://as.example/token' };
  expect(JSON.parse(writePortable({ ...bare, endpoints }))).toEqual({
    server: 'https://mcp.example/mcp',
    resource: 'https://mcp.example/mcp',
    issuer: 'https://as.example',
    token_endpoint: 'https://as.example/token',
  });
  const { expiresAt, ...endless } = tokens as NonNullable<CredentialRecord['tokens']>;
  expect(JSON.parse(writePortable({ ...bare, tokens: endless }))).not.toHaveProperty('expires_at');
  const odd = { ...bare, tokens: { ...endless, expiresAt: 1_999 } };
  expect(JSON.parse(writePortable(odd)).expires_at).toBe(1);
});

describe('converting to a record', () => {
  test('converts a complete one', () => {
    const credential = { ...JSON.parse(writePortable(wholeRecord)), token_type: 'DPoP' };
    expect(portableRecord(credential, target)).toStrictEqual({
      family: seedFamily(credential),
      server: target.server,
      profile: 'work',
      resource: 'https://r.example',
      issuer: 'https://as.example',
      endpoints: { token: 'https://as.example/token', revocation: 'https://as.example/revoke' },
      dpopKey: wholeRecord.dpopKey,
      tokenEndpointAuthMethods: ['none', 'client_secret_basic'],
      client: {
        clientId: 'client-1',
        clientSecret: 'client-secret-canary',
        tokenEndpointAuthMethod: 'none',
        redirectUri: 'http://127.0.0.1:4711/callback',
        source: 'registered',
      },
      tokens: {
        accessToken: 'access-token-canary',
        tokenType: 'DPoP',
        refreshToken: 'refresh-token-canary',
        obtainedAt: NOW,
        expiresAt: 1_800_003_600_000,
        scope: 'read write',
        idToken: 'id-token-canary',
      },
    });
  });

  test('converts an access token alone', () => {
    const record = portableRecord({ access_token: 'a' }, { ...target, resource: undefined });
    expect(record).not.toHaveProperty('resource');
    expect(record).not.toHaveProperty('client');
    expect(record).toMatchObject({
      issuer: 'https://mcp.example',
      endpoints: { token: 'https://mcp.example/token' },
    });
    expect(record.tokens).toStrictEqual({ accessToken: 'a', tokenType: 'Bearer', obtainedAt: NOW });
  });

  test('converts a refresh token alone', () => {
    expect(portableRecord({ refresh_token: 'r', ...client }, target)).toMatchObject({
      client: { clientId: 'c', source: 'registered' },
      tokens: { accessToken: 'none', refreshToken: 'r', obtainedAt: 0, expiresAt: 1 },
    });
  });

  test.each<[object, number, number | undefined]>([
    [{ expires_in: 60 }, NOW, NOW + 60_000],
    [{ expires_in: 0 }, NOW - 1, NOW],
    [{ expires_at: 10 }, 9_999, 10_000],
    [{ expires_at: 0 }, 0, 0],
    [{ expires_at: 10, expires_in: 60 }, 9_999, 10_000],
    [{}, NOW, undefined],
  ])('%j was obtained at %d and ends at %s', (times, obtainedAt, expiresAt) => {
    const { tokens } = portableRecord({ access_token: 'a', ...times }, target);
    expect([tokens?.obtainedAt, tokens?.expiresAt]).toEqual([obtainedAt, expiresAt]);
  });
});

describe('validation', () => {
  test.each<[string, unknown]>([['a byte order mark', `\ufeff${JSON.stringify({ access_token: 'a' })}`]])(
    '%s is left out',
    (_, text) => {
      expect(readPortable(text as string).kind).toBe('credential');
    },
  );

  test.each([
    ['', 'it is not JSON'],
    [`{"a":\ufeff1}`, 'it is not JSON'],
    ['7', 'it is not one JSON object'],
    ['{}', 'it holds neither access_token nor refresh_token'],
    ['{"refresh_token":"r"}', 'a refresh_token needs client_id and issuer'],
    ['{"access_token":"a","token_type":"dpop"}', 'a token_type of DPoP needs dpop_jwk'],
    ['{"access_token":7}', 'access_token is not what it has to be'],
    [
      '{"access_token":"a","token_endpoint_auth_methods_supported":[7]}',
      'token_endpoint_auth_methods_supported.0 is not what it has to be',
    ],
  ])('%s: %s', (text, reason) => {
    expect(readPortable(text)).toEqual({ kind: 'unusable', reason });
  });

  test.each([
    ['server', 8 * 1024],
    ['issuer', 8 * 1024],
    ['resource', 8 * 1024],
    ['redirect_uri', 8 * 1024],
    ['token_endpoint', 8 * 1024],
    ['revocation_endpoint', 8 * 1024],
    ['access_token', 48 * 1024],
    ['id_token', 48 * 1024],
  ])('%s has visible characters only, at most %d', (name, longest) => {
    for (const right of ['!~', 'x'.repeat(longest)])
      expect(kindOf({ access_token: 'a', [name]: right })).toBe('credential');
    for (const wrong of ['', 'a b', ' a', 'a ', 'ä', 'x'.repeat(longest + 1), 7])
      expect(kindOf({ access_token: 'a', [name]: wrong })).toBe('unusable');
  });

  test.each(['client_id', 'client_secret', 'token_endpoint_auth_method'])('%s may contain blanks', (name) => {
    for (const right of ['a b', ' ', 'x'.repeat(4 * 1024)])
      expect(kindOf({ access_token: 'a', [name]: right })).toBe('credential');
    for (const wrong of ['', 'a\nb', '\na', 'ä', 'x'.repeat(4 * 1024 + 1)])
      expect(kindOf({ access_token: 'a', [name]: wrong })).toBe('unusable');
  });

  test.each<[string, unknown[], unknown[]]>([
    ['scope', ['', 'a b', 'x'.repeat(16 * 1024)], ['a\nb', 'x'.repeat(16 * 1024 + 1), 7]],
    ['token_type', ['bearer', 'Bearer', 'USER'], ['mac', 'xbearer', 'bearerx', '']],
    ['expires_in', [0, 0.5, 3600, Number.MAX_SAFE_INTEGER / 2000], [-1, '60', 1e13]],
    ['expires_at', [0, 1e9, Number.MAX_SAFE_INTEGER / 2000], [-1, '60', 1e13]],
    [
      'token_endpoint_auth_methods_supported',
      [[], new Array(32).fill('m')],
      [new Array(33).fill('m'), ['a\nb'], 'none'],
    ],
  ])('%s', (name, right, wrong) => {
    for (const value of right) expect(kindOf({ access_token: 'a', [name]: value })).toBe('credential');
    for (const value of wrong) expect(kindOf({ access_token: 'a', [name]: value })).toBe('unusable');
  });

  test.each(['DPoP', 'dpop', 'DPOP'])('%s is a bound token', (token_type) => {
    expect(isBound({ token_type })).toBe(true);
    expect(kindOf({ access_token: 'a', token_type, dpop_jwk: wholeRecord.dpopKey })).toBe('credential');
  });

  test('any other type is not', () => {
    expect(isBound({ token_type: 'Bearer' })).toBe(false);
    expect(isBound({})).toBe(false);
  });
});

describe('a key', () => {
  const ed25519 = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), alg: 'EdDSA' };
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

  test.each([
    ['on P-256', wholeRecord.dpopKey, 'credential'],
    ['on Ed25519', ed25519, 'credential'],
    ['of two halves that are no pair', { ...wholeRecord.dpopKey, d: other.d }, 'unusable'],
    ['of no point', { ...wholeRecord.dpopKey, x: 'AAAA' }, 'unusable'],
  ])('%s', (_, dpop_jwk, expected) => {
    expect(kindOf({ access_token: 'a', dpop_jwk })).toBe(expected);
  });
});

test("a credential's name depends on issuer, client and the long-lived token", () => {
  const nameOf = (...parts: unknown[]) =>
    `seed-${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`;
  expect(seedFamily({ access_token: 'a', refresh_token: 'r', ...client })).toBe(
    nameOf('https://as.example', 'c', 'r'),
  );
  expect(seedFamily({ access_token: 'a' })).toBe(nameOf(null, null, 'a'));
});

test("a refresh token's name is its hash", () => {
  expect(tokenHash('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});
