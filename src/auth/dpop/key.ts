import { createHash, createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { ownCommand } from '../../platform/program/program-command.ts';
import { privateKey } from '../../store/record/private-key.ts';
import type { DpopKey } from '../../store/record/record.ts';
import { DPOP_CURVES } from '../../store/record/record-schema.ts';
import { DpopError } from '../errors/errors.ts';
import type { SigningKey } from '../jwt/signing.ts';

/** The algorithms for which a key is created, the preferred one first. Not RSA: its key would be ten times as large in each request. */
export const DPOP_ALGS = ['ES256', 'ES384', 'ES512', 'EdDSA'] as const;
export type DpopAlg = (typeof DPOP_ALGS)[number];

/** A key for one sign-in and its tokens. */
export async function makeDpopKey(alg: DpopAlg): Promise<DpopKey> {
  const generate = promisify(generateKeyPair);
  const { privateKey: made } =
    alg === 'EdDSA' ? await generate('ed25519') : await generate('ec', { namedCurve: DPOP_CURVES[alg] });
  return { ...made.export({ format: 'jwk' }), alg } as DpopKey;
}

/** A key ready to sign, and its public part. */
export interface ProofKey {
  readonly signing: SigningKey;
  readonly publicJwk: Readonly<Record<string, string>>;
}

export function readDpopKey(jwk: DpopKey): ProofKey {
  try {
    const key = privateKey(jwk);
    // Derived, not copied: no private member can be included.
    const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' }) as Record<string, string>;
    const publicJwk = { kty, crv, x, y } as ProofKey['publicJwk'];
    return { signing: { alg: jwk.alg, key }, publicJwk };
  } catch {
    // The cause is left out: it may quote the key.
    throw new DpopError('the key of this login cannot be used', {
      hint: `Sign in again: ${ownCommand('login')} URL`,
    });
  }
}

/** RFC 7638 §3: the required members of a key, in the order of their names. */
export function thumbprint(jwk: DpopKey): string {
  const { crv, kty, x, y } = jwk;
  const members = JSON.stringify({ crv, kty, x, y });
  return createHash('sha256').update(members).digest('base64url');
}
