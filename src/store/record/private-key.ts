import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { DpopKey } from './record.ts';

/** Throws where the members make no key; the message may quote them. */
export function privateKey({ y, ...jwk }: DpopKey): KeyObject {
  return createPrivateKey({ key: { ...jwk, ...(y === undefined ? {} : { y }) }, format: 'jwk' });
}
