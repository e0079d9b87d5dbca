import { createPrivateKey, type KeyObject } from 'node:crypto';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { DpopKey } from './record.ts';

/** Throws if the members do not form a key; the message may quote them. */
export function privateKey({ y, ...jwk }: DpopKey): KeyObject {
  return createPrivateKey({ key: { ...jwk, ...withoutUndefined({ y }) }, format: 'jwk' });
}
