import { expect } from 'vitest';
import type { ThreatWorld } from './threat-world.ts';

/** Fails if a secret was seen anywhere but in its own place, or if the bridge so much as connected to the stranger. */
export function expectKept(world: ThreatWorld): void {
  expect(world.oracle.leaks()).toEqual([]);
  expect(world.stranger.connections).toBe(0);
}
