import { randomBytes } from 'node:crypto';

/** The only source of randomness for the rest of the program. */
export interface Random {
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1), for jitter only. */
  fraction(): number;
}

/** The randomness of this machine. */
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};

/** An id for a request or item of the program itself, different from any that a host or server chooses. */
export function ownId(random: Random): string {
  return `drawbridge-${randomToken(random, 96)}`;
}

/** `bits` of randomness as base64url, for nonces, states and names. */
export function randomToken(random: Random, bits = 256): string {
  return Buffer.from(random.bytes(Math.ceil(bits / 8))).toString('base64url');
}
