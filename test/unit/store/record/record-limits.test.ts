import { describe, expect, test } from 'vitest';
import { parseRecord } from '../../../../src/store/record/record-schema.ts';
import { secretsOf } from '../../../../src/store/record/secrets.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

/** The whole record with `value` at `path`. */
function recordWith(path: string, value: unknown): Buffer {
  const copy = JSON.parse(JSON.stringify(wholeRecord)) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() as string;
  const holder = names.reduce((at, name) => at[name] as Record<string, unknown>, copy);
  holder[last] = value;
  return Buffer.from(JSON.stringify(copy));
}

const kindWith = (path: string, value: unknown) => parseRecord(recordWith(path, value)).kind;
const TOKEN = 48 * 1024;
const ADDRESS = 8 * 1024;
const WORD = 4 * 1024;
const SCOPE = 16 * 1024;

describe('texts', () => {
  test.each([
    ['tokens.accessToken', TOKEN],
    ['tokens.refreshToken', TOKEN],
    ['tokens.idToken', TOKEN],
    ['server', ADDRESS],
    ['resource', ADDRESS],
    ['issuer', ADDRESS],
    ['endpoints.token', ADDRESS],
    ['endpoints.revocation', ADDRESS],
    ['client.redirectUri', ADDRESS],
    ['family', WORD],
    ['profile', WORD],
    ['grant', WORD],
    ['client.clientId', WORD],
    ['client.clientSecret', WORD],
    ['client.tokenEndpointAuthMethod', WORD],
    ['tokens.tokenType', WORD],
    ['deadRefreshTokenHash', WORD],
    ['lastRefresh.outcome', WORD],
  ])('%s: 1 to %d visible characters', (path, longest) => {
    expect(kindWith(path, ' ~')).toBe('record');
    expect(kindWith(path, 'x'.repeat(longest))).toBe('record');
    for (const wrong of ['', 'x'.repeat(longest + 1), 'x\n', '\x1fx', 'x\x7f', 'ä', 7, null])
      expect([wrong, kindWith(path, wrong)]).toEqual([wrong, 'corrupt']);
  });

  test.each(['tokens.scope', 'requestedScope'])('%s may be empty', (path) => {
    for (const right of ['', 'a b', 'x'.repeat(SCOPE)]) expect(kindWith(path, right)).toBe('record');
    for (const wrong of ['x'.repeat(SCOPE + 1), 'a\nb', 'a\tb', 7])
      expect(kindWith(path, wrong)).toBe('corrupt');
  });

  test.each(['x', 'y', 'd'])('the part %s of a key is Base64url', (part) => {
    for (const right of ['A', 'a-Z_09', 'x'.repeat(128)])
      expect(kindWith(`dpopKey.${part}`, right)).toBe('record');
    for (const wrong of ['', 'x'.repeat(129), 'a+b', 'a=', ' a', 'a/'])
      expect(kindWith(`dpopKey.${part}`, wrong)).toBe('corrupt');
  });
});

describe('numbers', () => {
  test.each([
    'tokens.obtainedAt',
    'tokens.expiresAt',
    'client.clientSecretExpiresAt',
    'lastRefresh.at',
    'lastRefresh.retryAt',
  ])('%s is a valid time', (path) => {
    for (const right of [0, 0.5, Number.MAX_SAFE_INTEGER]) expect(kindWith(path, right)).toBe('record');
    for (const wrong of [-1, Number.MAX_SAFE_INTEGER + 2, '0', null])
      expect(kindWith(path, wrong)).toBe('corrupt');
  });

  test.each(['lastRefresh.failures', 'lastRefresh.refusals'])('%s is a count', (path) => {
    for (const right of [0, 7]) expect(kindWith(path, right)).toBe('record');
    for (const wrong of [-1, 0.5, '0']) expect(kindWith(path, wrong)).toBe('corrupt');
  });

  test('revisions count from 1', () => {
    expect(kindWith('revision', 1)).toBe('record');
    for (const wrong of [0, 1.5, '1']) expect(kindWith('revision', wrong)).toBe('corrupt');
  });
});

describe('lists', () => {
  test.each([
    ['tokenEndpointAuthMethods', 'm', 32],
    ['stepUps', 5, 16],
  ])('%s of %j: %d at most', (path, value, longest) => {
    for (const length of [0, longest]) expect(kindWith(path, new Array(length).fill(value))).toBe('record');
    for (const wrong of [new Array(longest + 1).fill(value), [null], value])
      expect(kindWith(path, wrong)).toBe('corrupt');
  });
});

describe('enumerations', () => {
  test.each([
    ['client.source', ['registered', 'static', 'metadata-document'], ['', 'other']],
    ['withoutDpop', [true], [false, 1]],
    ['dpopKey.kty', ['EC', 'OKP'], ['RSA', '']],
  ] as const)('%s', (path, right, wrong) => {
    for (const value of right) expect(kindWith(path, value)).toBe('record');
    for (const value of wrong) expect(kindWith(path, value)).toBe('corrupt');
  });

  test.each([
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
    ['EdDSA', 'Ed25519'],
  ])('%s signs on %s and no other curve', (alg, crv) => {
    expect(kindWith('dpopKey', { ...wholeRecord.dpopKey, alg, crv })).toBe('record');
    for (const other of ['P-256', 'P-384', 'P-521', 'Ed25519', 'P-192'])
      if (other !== crv)
        expect(kindWith('dpopKey', { ...wholeRecord.dpopKey, alg, crv: other })).toBe('corrupt');
  });
});

describe('versions', () => {
  test.each<[unknown, object]>([
    [2, { kind: 'newer', version: 2 }],
    [99, { kind: 'newer', version: 99 }],
    [1.5, { kind: 'corrupt' }],
    [0, { kind: 'corrupt' }],
    ['2', { kind: 'corrupt' }],
    [null, { kind: 'corrupt' }],
  ])('%j', (version, expected) => {
    expect(parseRecord(recordWith('version', version))).toEqual(expected);
  });

  test('does not take a damaged record for one of a later version', () => {
    expect(parseRecord(Buffer.from('{"version":1}'))).toEqual({ kind: 'corrupt' });
    for (const text of ['7', 'null', '"version"', '{}'])
      expect(parseRecord(Buffer.from(text))).toEqual({ kind: 'corrupt' });
  });
});

test('secrets that no log may show', () => {
  const { tokens, client, dpopKey } = wholeRecord;
  expect(secretsOf({})).toEqual([]);
  expect(secretsOf({ tokens: {}, client: {} })).toEqual([]);
  expect(secretsOf(wholeRecord)).toEqual([
    tokens?.accessToken,
    tokens?.refreshToken,
    tokens?.idToken,
    client?.clientSecret,
    dpopKey?.d,
  ]);
});
