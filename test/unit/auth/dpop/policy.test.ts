import { expect, test } from 'vitest';
import { defaultEndpoints } from '../../../../src/auth/discovery/metadata.ts';
import { type DpopInputs, decideBinding } from '../../../../src/auth/dpop/policy.ts';
import { needsDpopLogin, refusedProof } from '../../../../src/auth/dpop/refused-proof.ts';
import { bearerChallenge } from '../../../../src/protocol/www-authenticate.ts';
import type { CredentialRecord } from '../../../../src/store/record/record.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

const plain = defaultEndpoints(new URL('https://as.example'));
const issuer = plain.issuer;
const binds = (...dpopAlgs: string[]) => ({ issuer, metadata: { ...plain, dpopAlgs } });
const not = { issuer, metadata: plain };
const bound = (alg: string) => ({ kind: 'bound', alg });
const bearer = (wanted: boolean) => ({ kind: 'bearer', wanted });

const asked = { scheme: 'DPoP', dpop: {} };
const other = { scheme: 'Bearer' };

test.each<[string, DpopInputs, object | RegExp]>([
  ['nobody asks', { mode: 'auto', challenge: other, found: binds('ES256') }, bearer(false)],
  ['nothing is said', { mode: undefined, challenge: {}, found: binds('ES256') }, bearer(false)],
  ['the challenge asks', { mode: undefined, challenge: asked, found: binds('ES256') }, bound('ES256')],
  [
    'the metadata asks',
    { mode: 'auto', challenge: other, found: { ...binds('ES256'), dpopRequired: true } },
    bound('ES256'),
  ],
  [
    'ES256 first',
    { mode: 'auto', challenge: asked, found: binds('RS256', 'EdDSA', 'ES512', 'ES256') },
    bound('ES256'),
  ],
  ['else what there is', { mode: 'auto', challenge: asked, found: binds('RS256', 'EdDSA') }, bound('EdDSA')],
  [
    'what the challenge takes',
    { mode: 'auto', challenge: { ...asked, dpop: { algs: ['ES384'] } }, found: binds('ES256', 'ES384') },
    bound('ES384'),
  ],
  [
    'what the resource takes',
    { mode: 'auto', challenge: asked, found: { ...binds('ES256', 'ES512'), resourceDpopAlgs: ['ES512'] } },
    bound('ES512'),
  ],
  ['the authorization server does not', { mode: 'auto', challenge: asked, found: not }, bearer(true)],
  ['with nothing that we have', { mode: 'auto', challenge: asked, found: binds('RS256') }, bearer(true)],
  ['with none at all', { mode: 'auto', challenge: asked, found: binds() }, bearer(true)],
  [
    'the key is there and nobody says otherwise',
    { mode: 'auto', challenge: {}, found: binds('ES256'), isBound: true },
    bound('ES256'),
  ],
  [
    'the key is there, and a bearer token is asked for',
    { mode: 'auto', challenge: other, found: binds('ES256'), isBound: true },
    bearer(false),
  ],
  ['always, and nobody asks', { mode: 'always', challenge: other, found: binds('ES256') }, bound('ES256')],
  ['always, and it does not', { mode: 'always', challenge: asked, found: not }, /does not say that it binds/],
  ['always, with nothing that we have', { mode: 'always', challenge: asked, found: binds('RS256') }, /ES256/],
  [
    'never',
    { mode: 'never', challenge: asked, found: { ...binds('ES256'), dpopRequired: true }, isBound: true },
    bearer(false),
  ],
])('%s', (_, situation, expected) => {
  if (expected instanceof RegExp) expect(() => decideBinding(situation)).toThrow(expected);
  else expect(decideBinding(situation)).toEqual(expected);
});

test('names the alternative where tokens cannot be bound', () => {
  const situation = { mode: 'always', challenge: asked, found: not } as const;
  expect(() => decideBinding(situation)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('--dpop always') }),
  );
});

const { dpopKey, withoutDpop, ...old } = wholeRecord;
const token = { token: 'at' };
const dpopProofs = () => Promise.reject(new Error('not asked'));

test.each<[string, Partial<Parameters<typeof needsDpopLogin>[0]>, boolean]>([
  ['a login without a key', {}, true],
  ['… and the user does not want one', { mode: 'never' }, false],
  ['… and a bearer token would do', { challenge: bearerChallenge('DPoP, Bearer') }, false],
  ['… and nothing is asked for', { challenge: undefined }, false],
  ['no token was refused', { refused: undefined }, false],
  ['it was bound', { refused: { ...token, dpopProofs } }, false],
  ['there is a key: a refresh may do', { record: { ...old, dpopKey } as CredentialRecord }, false],
  ['there was none to be had', { record: { ...old, withoutDpop: true } }, false],
])('a new sign-in for a key: %s', (_, change, expected) => {
  const challenge = bearerChallenge('DPoP algs="ES256", error="invalid_token"');
  expect(needsDpopLogin({ refused: token, challenge, mode: 'auto', record: old, ...change })).toBe(expected);
});

test('distinguishes a refused proof from a refused token', () => {
  for (const error of ['use_dpop_nonce', 'invalid_dpop_proof']) {
    expect(refusedProof(bearerChallenge(`DPoP error="${error}"`))).toMatchObject({
      code: 'dpop',
      hint: expect.any(String),
    });
  }
  for (const header of [
    'DPoP error="invalid_token"',
    'Bearer error="invalid_token", error_description="no invalid_dpop_proof, DPoP"',
    'Bearer error="use_dpop_nonce"',
    '',
    undefined,
  ]) {
    expect(refusedProof(bearerChallenge(header))).toBeUndefined();
  }
});
