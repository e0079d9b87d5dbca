import assert from 'node:assert/strict';
import fc from 'fast-check';
import { makeDpopKey } from '../../../src/auth/dpop/key.ts';
import { createDpopProofs } from '../../../src/auth/dpop/proof.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { isNestedDeeper } from '../../../src/protocol/json/json-scan.ts';
import { property } from '../property.ts';
import { hostileText, jsonText, visibleText } from '../texts.ts';

const key = await makeDpopKey('ES256');
const NOW = 1_800_000_000_000;
const url = new URL('https://as.example/token?x=1#y');

const nonce = fc.oneof(visibleText, hostileText, fc.constant(undefined));
const date = fc.oneof(
  fc.date({ noInvalidDate: true }).map((at) => at.toUTCString()),
  hostileText,
  fc.constantFrom('+275760-09-13T00:00:00Z', '0', undefined),
);
const answer = fc.record({
  status: fc.constantFrom(200, 400, 401, 500),
  oauthError: fc.constantFrom('use_dpop_nonce', 'invalid_dpop_proof', 'invalid_grant', undefined),
  nonce,
  date,
});

export const PROOFS = [
  property(
    'whatever a server answers, the next proof is one, and holds no nonce but a well-formed one of its own',
    fc.array(answer, { maxLength: 4 }),
    (answers) => {
      const tools = { memory: new Map(), clock: { now: () => NOW }, random: systemRandom };
      const dpopProofs = createDpopProofs(key, tools);
      for (const { status, oauthError, ...headers } of answers) {
        dpopProofs.noteResponse(url, {
          status,
          ...(oauthError === undefined ? {} : { oauthError }),
          headers: {
            ...(headers.nonce === undefined ? {} : { 'dpop-nonce': headers.nonce }),
            ...(headers.date === undefined ? {} : { date: headers.date }),
          },
        });
      }
      const proof = dpopProofs.proof({ method: 'POST', url });
      assert.match(proof, /^[\w-]+\.[\w-]+\.[\w-]+$/);
      const claims = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString('utf8'));
      assert.equal(claims.htu, 'https://as.example/token');
      assert.ok(Number.isSafeInteger(claims.iat));
      // RFC 9449 §8.1.
      const last = answers.map((one) => one.nonce).findLast((one) => one !== undefined && isNonce(one));
      assert.equal(claims.nonce, last);
    },
  ),
  property(
    'how deep a text nests is what JSON.parse makes of it',
    fc.tuple(jsonText, fc.nat(6)),
    ([text, limit]) => {
      const value = parsed(text);
      if (value !== undefined) assert.equal(isNestedDeeper(text, limit), depthOf(value) > limit);
    },
    'dear',
  ),
];

function isNonce(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]{1,2048}$/.test(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Without recursion, level by level. */
function depthOf(value: unknown): number {
  let depth = 0;
  for (let level = [value]; ; depth++) {
    const containers = level.filter((one) => typeof one === 'object' && one !== null);
    if (containers.length === 0) return depth;
    level = containers.flatMap((one) => Object.values(one as object));
  }
}
