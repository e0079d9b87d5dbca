import { describe, expect, test } from 'vitest';
import { DPOP_ALGS, makeDpopKey, readDpopKey, thumbprint } from '../../../../src/auth/dpop/key.ts';
import { createDpopProofs, type DpopNonceCache } from '../../../../src/auth/dpop/proof.ts';
import { systemRandom } from '../../../../src/platform/random.ts';
import type { DpopResponse } from '../../../../src/protocol/access-token.ts';
import type { DpopKey } from '../../../../src/store/record/record.ts';
import { parseRecord, serializeRecord } from '../../../../src/store/record/record-schema.ts';
import { checkProof } from '../../../peers/authorization-servers/dpop-proofs.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

const NOW = 1_800_000_000_000;
const key = wholeRecord.dpopKey as DpopKey;
const server = new URL('https://mcp.example/a/mcp?b=c#d');
const other = new URL('https://as.example/token');

function dpopProofs(memory: DpopNonceCache = new Map(), jwk = key, now = NOW) {
  return createDpopProofs(jwk, { memory, clock: { now: () => now }, random: systemRandom });
}

const partOf = (proof: string, index: 0 | 1) =>
  JSON.parse(Buffer.from(proof.split('.')[index] as string, 'base64url').toString());
const claims = (proof: string) => partOf(proof, 1);
const answer = (status: number, headers: Record<string, string> = {}, oauthError?: string): DpopResponse => ({
  status,
  headers,
  oauthError,
});
const challenge = (error: string, more: Record<string, string> = {}) =>
  answer(401, { 'www-authenticate': `Bearer, DPoP error="${error}"`, ...more });

describe('a proof', () => {
  test.each(DPOP_ALGS)('is valid with %s, and contains nothing private', async (alg) => {
    const made = await makeDpopKey(alg);
    const proof = dpopProofs(new Map(), made).proof({ method: 'POST', url: server, token: 'at' });
    const checked = checkProof({ method: 'POST', url: server.href, proof, token: 'at', now: NOW });
    expect(checked).toMatchObject({ kind: 'good', jkt: thumbprint(made) });
    expect(Object.keys(partOf(proof, 0)).sort()).toEqual(['alg', 'jwk', 'typ']);
    expect(partOf(proof, 0)).toMatchObject({ alg, typ: 'dpop+jwt' });
    expect(proof + JSON.stringify(partOf(proof, 0))).not.toContain(made.d);
    const kept = { ...wholeRecord, dpopKey: made };
    expect(parseRecord(serializeRecord(kept))).toEqual({ kind: 'record', record: kept });
  });

  test('names the request without query and fragment (§4.2), and no token if there is none', () => {
    const proof = dpopProofs().proof({ method: 'DELETE', url: server });
    expect(claims(proof)).toEqual({
      htm: 'DELETE',
      htu: 'https://mcp.example/a/mcp',
      iat: NOW / 1000,
      jti: expect.any(String),
    });
  });

  test('is different each time, by 128 bits', () => {
    const { proof } = dpopProofs();
    const ids = Array.from({ length: 100 }, () => claims(proof({ method: 'GET', url: server })).jti);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(16);
  });

  test('contains the hash of RFC 9449 §7.1 for its token', () => {
    const token = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU';
    expect(claims(dpopProofs().proof({ method: 'GET', url: server, token })).ath).toBe(
      'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo',
    );
  });
});

test('the thumbprint of RFC 9449 §6.1', () => {
  const x = 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs';
  const y = '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA';
  expect(thumbprint({ ...key, x, y })).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I');
});

test('reports an unreadable key without showing it', () => {
  for (const d of ['', 's3cr3t-canary!']) {
    const read = () => readDpopKey({ ...key, d, x: 'A', y: 'A' });
    expect(read).toThrow(/key of this login/);
    expect(read).not.toThrow(/canary/);
  }
});

describe('nonces', () => {
  const nonceOf = (memory: DpopNonceCache, url: URL) =>
    claims(dpopProofs(memory).proof({ method: 'POST', url })).nonce;

  test.each([200, 202, 401, 404, 500])(
    'of a response with status %i are kept for its origin only (§8.2)',
    (status) => {
      const memory: DpopNonceCache = new Map();
      dpopProofs(memory).noteResponse(server, answer(status, { 'dpop-nonce': 'n1' }));
      expect(nonceOf(memory, new URL('/elsewhere', server))).toBe('n1');
      expect(nonceOf(memory, other)).toBeUndefined();
      dpopProofs(memory).noteResponse(server, answer(status, { 'dpop-nonce': 'n2' }));
      expect(nonceOf(memory, server)).toBe('n2');
    },
  );

  test('of its own refusal, not of the latest response to any request, go into the retry', () => {
    const memory: DpopNonceCache = new Map();
    const { proof, noteResponse } = dpopProofs(memory);
    const proofRetry = noteResponse(server, challenge('use_dpop_nonce', { 'dpop-nonce': 'mine' }));
    noteResponse(server, answer(200, { 'dpop-nonce': 'theirs' }));
    expect(claims(proof({ method: 'POST', url: server, proofRetry })).nonce).toBe('mine');
    expect(claims(proof({ method: 'POST', url: server })).nonce).toBe('theirs');
  });

  test.each(['', 'a b', 'a"b', 'a\\b', 'a,é', 'x'.repeat(2049)])('%j is not a nonce (§8.1)', (nonce) => {
    const memory: DpopNonceCache = new Map();
    expect(
      dpopProofs(memory).noteResponse(server, challenge('use_dpop_nonce', { 'dpop-nonce': nonce })),
    ).toBeUndefined();
    expect(memory.size).toBe(0);
  });

  test('are forgotten for the oldest of many origins', () => {
    const memory: DpopNonceCache = new Map();
    for (let index = 0; index < 100; index++) {
      dpopProofs(memory).noteResponse(
        new URL(`https://o${index}.example`),
        answer(200, { 'dpop-nonce': 'n' }),
      );
    }
    expect(memory.size).toBe(8);
    expect(memory.has('https://o99.example')).toBe(true);
  });
});

describe('a retry', () => {
  const date = (ms: number) => ({ date: new Date(NOW + ms).toUTCString() });
  const nonce = { 'dpop-nonce': 'n' };
  test.each<[string, DpopResponse, object | undefined]>([
    ['a token endpoint wants a nonce (§8)', answer(400, nonce, 'use_dpop_nonce'), { nonce: 'n' }],
    ['with 401', answer(401, nonce, 'use_dpop_nonce'), { nonce: 'n' }],
    ['a server wants one (§9)', challenge('use_dpop_nonce', nonce), { nonce: 'n' }],
    ['it wants one, and gives none', challenge('use_dpop_nonce'), undefined],
    ['its clock is another', challenge('invalid_dpop_proof', date(-3_600_000)), {}],
    ['its clock is ours', challenge('invalid_dpop_proof', date(1_000)), undefined],
    ['it does not say what its clock is', challenge('invalid_dpop_proof'), undefined],
    [
      'another scheme wants one',
      answer(401, { 'www-authenticate': 'Bearer error="use_dpop_nonce"', ...nonce }),
      undefined,
    ],
    ['the token is the fault', challenge('invalid_token', nonce), undefined],
    ['403', { ...challenge('use_dpop_nonce', nonce), status: 403 }, undefined],
    [
      '400 of a server, whose body is not read',
      { ...challenge('use_dpop_nonce', nonce), status: 400 },
      undefined,
    ],
    ['it went well', answer(200, nonce), undefined],
    ['another error', answer(400, nonce, 'invalid_grant'), undefined],
  ])('%s', (_, refused, expected) => {
    const proofRetry = dpopProofs().noteResponse(server, refused);
    expect(proofRetry).toEqual(expected);
  });

  test("uses the server's time from then on, until ours is right", () => {
    const memory: DpopNonceCache = new Map();
    const { proof, noteResponse } = dpopProofs(memory);
    const iat = () => claims(proof({ method: 'POST', url: server })).iat;
    noteResponse(server, challenge('invalid_dpop_proof', date(3_600_000)));
    expect(iat()).toBe(NOW / 1000 + 3_600);
    expect(claims(proof({ method: 'POST', url: other })).iat).toBe(NOW / 1000);
    expect(noteResponse(server, challenge('invalid_dpop_proof', date(0)))).toEqual({});
    expect(iat()).toBe(NOW / 1000);
  });
});
