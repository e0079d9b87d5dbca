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

/** `bits` of randomness as base64url, for nonces, states and names. */
export function randomToken(random: Random, bits = 256): string {
  return Buffer.from(random.bytes(Math.ceil(bits / 8))).toString('base64url');
}
