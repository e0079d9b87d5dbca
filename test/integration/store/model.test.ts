import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TIMING } from '../../../src/store/shared/protocol/timing.ts';
import { check, runSchedule } from '../../model/check.ts';
import { sealingCodec } from '../../model/codecs.ts';
import { type PlacedFault, type Schedule, schedules } from '../../model/schedule.ts';

// More of it, and without parts of the protocol: `npm run model`.
const SCHEDULES = 200;
const SEED = 20_261_128;

test(`${SCHEDULES} schedules of failovers, partitions, kills and suspended processes: no token is spent twice outside the residue`, async () => {
  const { broken, failovers, refreshes, ...ran } = await check({ schedules: SCHEDULES, seed: SEED });
  expect(broken).toBeUndefined();
  expect(ran.schedules).toBe(SCHEDULES);
  expect(failovers).toBeGreaterThan(SCHEDULES / 10);
  expect(refreshes).toBeGreaterThan(SCHEDULES);
}, 120_000);

test('values that are written and sealed as in the program come to the same as values that are kept as they are', async () => {
  for (const schedule of fc.sample(schedules, { numRuns: 25, seed: SEED })) {
    const sealed = await runSchedule(schedule, { codec: sealingCodec() });
    expect(sealed.figures.operations).toBeGreaterThan(20);
    expect(sealed).toEqual(await runSchedule(schedule));
  }
}, 60_000);

const at = (after: number, fault: PlacedFault['fault']): PlacedFault => ({ lapse: 0, after, fault });

/** What the waits of the protocol are for, each with a schedule that goes wrong without it. */
const WAITS: readonly {
  readonly wait: string;
  readonly without: Partial<typeof TIMING>;
  readonly faults: readonly PlacedFault[];
  readonly seed: number;
}[] = [
  {
    wait: 'the quarantine after a failover',
    without: { quarantineMs: 0 },
    faults: [
      at(2, { kind: 'break-link', forMs: 60_000 }),
      at(17, { kind: 'fail-over', downMs: 500, clockByMs: 0 }),
    ],
    seed: 3,
  },
  {
    wait: 'patience with a token that may be spent',
    without: { spentMs: 1_000 },
    faults: [at(17, { kind: 'cut', who: 'actor', forMs: 60_000 })],
    seed: 1,
  },
  {
    wait: 'the window for sending',
    without: { sendWindowMs: 1e12 },
    faults: [at(15, { kind: 'suspend', who: 'actor', forMs: 200_000 })],
    seed: 1,
  },
];

test.each(WAITS)('without $wait a token is spent twice, with it none', async ({ without, faults, seed }) => {
  const schedule: Schedule = {
    instances: 2,
    lapses: ['refused'],
    lifetimeMs: 3_600_000,
    apart: true,
    faults,
    seed,
  };
  expect((await runSchedule(schedule, { timing: { ...TIMING, ...without } })).broken).toEqual([
    expect.stringMatching(/^a replay/),
  ]);
  expect(await runSchedule(schedule)).toMatchObject({ broken: [], residue: [] });
});
