import { describe, expect, test } from 'vitest';
import { freshness } from '../../../../src/auth/refresh/expiry.ts';
import {
  portableRecord,
  readPortable,
  resourceOf,
  seedFamily,
  writePortable,
} from '../../../../src/store/record/portable.ts';
import type { CredentialRecord, Tokens } from '../../../../src/store/record/record.ts';
import { parseRecord, serializeRecord } from '../../../../src/store/record/record-schema.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

const NOW = 1_800_000_000_000;
const CANARY = 's3cr3t-canary';
const target = { server: 'https://mcp.example/mcp', profile: 'default', resource: undefined, now: NOW };

const { dpopKey: key } = wholeRecord;

function read(value: unknown) {
  const found = readPortable(typeof value === 'string' ? value : JSON.stringify(value));
  if (found.kind === 'unusable') throw new Error(found.reason);
  return found.credential;
}

test('an exported credential is the same when imported', () => {
  const { tokens, client, issuer, endpoints, resource, dpopKey } = wholeRecord;
  const again = portableRecord(read(writePortable(wholeRecord)), { ...target, resource });
  expect(again).toMatchObject({ issuer, endpoints, resource, dpopKey, server: wholeRecord.server });
  expect(again.client).toMatchObject({ clientId: client?.clientId, clientSecret: client?.clientSecret });
  const { accessToken, refreshToken, expiresAt, scope, idToken } = tokens ?? {};
  expect(again.tokens).toMatchObject({ accessToken, refreshToken, expiresAt, scope, idToken });
});

const [A, B] = ['https://a.example', 'https://b.example'];

test.each([
  ['as issued', A, {}, { kind: 'resource', resource: A }],
  ['none on either side', undefined, {}, { kind: 'resource', resource: undefined }],
  ['--resource alone', undefined, { resource: A }, { kind: 'resource', resource: A }],
  ['the same', A, { resource: A }, { kind: 'resource', resource: A }],
  ['issued for another', A, { resource: B }, { kind: 'other' }],
  ['--no-resource', A, { noResource: true }, { kind: 'resource', resource: undefined }],
])('the resource of an imported credential: %s', (_, issuedFor, wish, expected) => {
  const credential = read({ access_token: 'a', ...(issuedFor === undefined ? {} : { resource: issuedFor }) });
  expect(resourceOf(credential, wish)).toEqual(expected);
});

test('a bound token stays bound', () => {
  const { tokens } = wholeRecord as { tokens: Tokens };
  const bound = { ...wholeRecord, tokens: { ...tokens, tokenType: 'DPoP' } };
  const again = portableRecord(read(writePortable(bound)), target);
  expect(again).toMatchObject({ tokens: { tokenType: 'DPoP' }, dpopKey: wholeRecord.dpopKey });
});

describe('its lifetime', () => {
  test.each<[string, object, ReturnType<typeof freshness>]>([
    ['nothing said', { access_token: 'a' }, 'fresh'],
    ['an hour left', { access_token: 'a', expires_in: 3600 }, 'fresh'],
    ['at a moment to come', { access_token: 'a', expires_at: NOW / 1000 + 60 }, 'fresh'],
    ['at a moment past', { access_token: 'a', expires_at: NOW / 1000 - 60 }, 'expired'],
    ['right now', { access_token: 'a', expires_at: NOW / 1000 }, 'expired'],
    [
      'a refresh token alone',
      { refresh_token: 'r', client_id: 'c', issuer: 'https://as.example' },
      'expired',
    ],
  ])('%s', (_, value, expected) => {
    const record: CredentialRecord = { ...portableRecord(read(value), target), version: 1, revision: 1 };
    expect(parseRecord(serializeRecord(record)).kind).toBe('record');
    expect(freshness(record.tokens as never, NOW)).toBe(expected);
  });
});

test.each<[string, unknown]>([
  ['no JSON', `{"access_token":"${CANARY}",}`],
  ['a list', [CANARY]],
  ['no token', { scope: CANARY }],
  ['an empty token', { access_token: '' }],
  ['a line break', { access_token: `${CANARY}\r\nX: y` }],
  ['another type of token', { access_token: CANARY, token_type: 'mac' }],
  ['a bound token without its key', { access_token: CANARY, token_type: 'DPoP' }],
  ['a key that is none', { access_token: 'a', dpop_jwk: { ...key, d: CANARY } }],
  ['a key for another algorithm', { access_token: CANARY, dpop_jwk: { ...key, alg: 'ES384' } }],
  ['a refresh token without a client', { refresh_token: CANARY, issuer: 'https://as.example' }],
  ['a refresh token without an issuer', { refresh_token: CANARY, client_id: 'c' }],
  ['a lifetime in words', { access_token: CANARY, expires_in: 'an hour' }],
  ['a token without end', { access_token: 'x'.repeat(49 * 1024) }],
  ['a secret longer than the store keeps', { access_token: CANARY, client_secret: 'x'.repeat(5 * 1024) }],
  [
    'an issuer longer than the store keeps',
    { access_token: CANARY, issuer: `https://${'x'.repeat(9 * 1024)}` },
  ],
  ['an empty client id', { access_token: CANARY, client_id: '' }],
])('%s is refused, unseen', (_, value) => {
  const found = readPortable(typeof value === 'string' ? value : JSON.stringify(value));
  expect(found.kind).toBe('unusable');
  expect(JSON.stringify(found)).not.toContain(CANARY);
});

test('recognizes the same credential, whatever its access token has become', () => {
  const client = { refresh_token: 'r', client_id: 'c', issuer: 'https://as.example' };
  expect(seedFamily({ ...client, access_token: 'a' })).toBe(seedFamily({ ...client, access_token: 'b' }));
  expect(seedFamily(client)).not.toBe(seedFamily({ ...client, refresh_token: 'other' }));
  expect(seedFamily({ access_token: 'a' })).not.toBe(seedFamily({ access_token: 'b' }));
});
