import { expect, test } from 'vitest';
import { engineLines, engineStatus, sealingLines } from '../../../src/commands/store/engine-lines.ts';

const engine = {
  engine: 'redis 7.0.15',
  role: 'primary',
  epoch: 'abcdef0123456789',
  roundTripMs: 0.42,
  now: 1_000,
  replicas: 1,
};

test('one line shows the engine, and how far its clock is from ours', () => {
  expect(
    engineLines(
      engineStatus(
        'store.example:6379',
        { ...engine, persistence: 'append-only file', isPersistent: true, evictionPolicy: 'noeviction' },
        [],
        1_250,
      ),
    ),
  ).toEqual([
    'The store at store.example:6379: redis 7.0.15, primary, answers in 0.4 ms, this clock 250 ms ahead, replicas: 1, on disk: append-only file, evicts: noeviction, epoch abcdef01.',
  ]);
});

test('warns about an engine that evicts logins, or loses them in a restart', () => {
  const described = { ...engine, epoch: undefined, isPersistent: false, evictionPolicy: 'allkeys-lru' };
  const lines = engineLines(engineStatus('s:1', described, [], 900));
  expect(lines).toHaveLength(3);
  expect(lines[0]).toContain('100 ms behind');
  expect(lines[1]).toContain('allkeys-lru');
  expect(lines[2]).toContain('nothing to disk');
});

test('the epoch is as old as the first login knows it to be, and without any as old as the process', () => {
  const upForMs = 90_000_000;
  const status = (...ages: (number | undefined)[]) =>
    engineStatus(
      's:1',
      { ...engine, upForMs },
      ages.map((epochAgeMs) => ({ epochAgeMs })),
      1_000,
    );
  // A failover gives another epoch to a process that has run for long.
  expect(status(120_000, undefined, 60_000).epochAgeMs).toBe(120_000);
  expect(status(undefined).epochAgeMs).toBe(upForMs);
  expect(engineLines(status(120_000)).join()).toContain('epoch abcdef01, 2 min old');
  expect(engineLines(status()).join()).toContain('epoch abcdef01, 1 d 1 h old');
});

test('logins that an old key is still needed for are counted', () => {
  const login = (isFirst: boolean) => ({
    key: 'k',
    found: { kind: 'absent' as const },
    sealing: { keyId: '0a0b0c0d', isFirst },
  });
  expect(sealingLines([login(true)])).toEqual([]);
  expect(sealingLines([login(true), login(false)]).join()).toMatch(/1 of 2 logins.*store reseal/);
});
