import { randomBytes } from 'node:crypto';

/** Randomness as the features see it. */
export interface Random {
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1), for jitter only. */
  fraction(): number;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};

/** An id for what the program itself asks or shows. No host and no server chooses the same. */
export function ownId(random: Random): string {
  return `drawbridge-${randomToken(random, 96)}`;
}

/** `bits` of randomness as base64url, for nonces, states and names. */
export function randomToken(random: Random, bits = 256): string {
  return Buffer.from(random.bytes(Math.ceil(bits / 8))).toString('base64url');
}
