import { expect, test } from 'vitest';
import { decideTake, type LockSight } from '../../../../src/store/lock/lock-ownership.ts';

const owned = (liveness: 'alive' | 'dead' | 'unknown', successors = 0): LockSight => ({
  kind: 'owned',
  first: 'n',
  last: { nonce: 'n', owner: { host: 'h', pid: 10 }, liveness, file: 'f' },
  successors: Array.from({ length: successors }, (_, number) => `${number}.next`),
});

test.each<[string, LockSight, string]>([
  ['none', { kind: 'absent' }, 'make'],
  ['one that names nobody', { kind: 'unreadable' }, 'wait'],
  ['a living owner, suspended or not', owned('alive'), 'wait'],
  ['an owner that cannot be judged', owned('unknown'), 'wait'],
  ['a dead owner', owned('dead'), 'inherit'],
  ['a dead heir', owned('dead', 3), 'inherit'],
  ['a living heir of a dead one', owned('alive', 1), 'wait'],
  ['more deaths than happen', owned('dead', 32), 'wait'],
])('a lock with %s', (_, sight, expected) => {
  expect(decideTake(sight).kind).toBe(expected);
});
