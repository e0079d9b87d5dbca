import { expect, test } from 'vitest';
import { engineLines } from '../../../src/commands/store/engine-lines.ts';

const engine = {
  engine: 'redis 7.0.15',
  role: 'master',
  epoch: 'abcdef0123456789',
  roundTripMs: 0.42,
  now: 1_000,
  replicas: 1,
};

test('one line shows the engine, and how far its clock is from ours', () => {
  expect(
    engineLines(
      'store.example:6379',
      { ...engine, persistence: 'snapshots', evictionPolicy: 'noeviction' },
      1_250,
    ),
  ).toEqual([
    'The store at store.example:6379: redis 7.0.15, master, answers in 0.4 ms, this clock 250 ms ahead, replicas: 1, on disk: snapshots, evicts: noeviction, epoch abcdef01.',
  ]);
});

test('warns about an engine that evicts logins, or loses them in a restart', () => {
  const lines = engineLines(
    's:1',
    { ...engine, epoch: undefined, persistence: 'none', evictionPolicy: 'allkeys-lru' },
    900,
  );
  expect(lines).toHaveLength(3);
  expect(lines[0]).toContain('100 ms behind');
  expect(lines[1]).toContain('allkeys-lru');
  expect(lines[2]).toContain('nothing on disk');
});
