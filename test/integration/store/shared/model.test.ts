import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TIMING } from '../../../../src/store/shared/protocol/timing.ts';
import { check, runSchedule } from '../../../model/check.ts';
import { sealingCodec } from '../../../model/codecs.ts';
import { type PlacedFault, type Schedule, schedules } from '../../../model/schedule.ts';

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

/** Waits and checks that guard the same time together: `npm run model -- --without send-window` takes both away. */
test('a process that was suspended between its mark and the request sends nothing', async () => {
  const faults = [15, 16, 17].map((after) => at(after, { kind: 'suspend', who: 'actor', forMs: 200_000 }));
  for (const fault of faults) {
    const lapses = ['refused'] as const;
    const schedule = { instances: 2, lapses, lifetimeMs: 3_600_000, apart: true, faults: [fault], seed: 1 };
    expect(await runSchedule(schedule)).toMatchObject({ broken: [], residue: [] });
  }
});

/** What once went wrong. Each goes wrong again without the part of the protocol in the title. */
const REGRESSIONS: readonly { readonly title: string; readonly schedule: Schedule }[] = [
  {
    title: 'what a process puts again that knows less than others: they are told, and put what they know',
    schedule: {
      instances: 3,
      lapses: ['due', 'refused', 'due'],
      lifetimeMs: 300_000,
      apart: true,
      faults: [
        { lapse: 2, after: 38, fault: { kind: 'empty' } },
        { lapse: 2, after: 30, fault: { kind: 'cut', who: 'actor', forMs: 76_757 } },
        { lapse: 1, after: 12, fault: { kind: 'suspend', who: 'actor', forMs: 18_997 } },
        { lapse: 0, after: 40, fault: { kind: 'kill', who: 'actor' } },
      ],
      seed: 6,
    },
  },
  {
    title:
      'a token that may be spent, where another server with another clock takes over: it is waited for from then on',
    schedule: {
      instances: 2,
      lapses: ['refused'],
      lifetimeMs: 3_600_000,
      apart: false,
      faults: [
        at(54, { kind: 'fail-over', downMs: 500, clockByMs: 3_600_000 }),
        at(17, { kind: 'cut', who: 'actor', forMs: 100_000 }),
      ],
      seed: 1,
    },
  },
  {
    title:
      'a sign-in that is seen while an own refresh has not ended: it counts, and not the response to the refresh',
    schedule: {
      instances: 4,
      lapses: ['due', 'due'],
      lifetimeMs: 3_600_000,
      apart: false,
      faults: [
        { lapse: 0, after: 10, fault: { kind: 'fail-over', downMs: 844, clockByMs: 3_362 } },
        { lapse: 1, after: 17, fault: { kind: 'fail-over', downMs: 1_775, clockByMs: 0 } },
        { lapse: 1, after: 36, fault: { kind: 'login' } },
      ],
      seed: 1_513_216_721,
    },
  },
  {
    title:
      'an engine that was emptied, and a put of a process that was suspended before: the numbers of values do not begin again',
    schedule: {
      instances: 2,
      lapses: ['due'],
      lifetimeMs: 3_600_000,
      apart: false,
      faults: [at(46, { kind: 'empty' }), at(15, { kind: 'suspend', who: 'actor', forMs: 72_002 })],
      seed: 2_147_483_582,
    },
  },
  {
    title:
      'a response that the engine loses right after a process has read it: that process puts it again, and not what it knew before',
    schedule: {
      instances: 2,
      lapses: ['due', 'due'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [
        { lapse: 1, after: 26, fault: { kind: 'empty' } },
        { lapse: 1, after: 24, fault: { kind: 'fail-over', downMs: 500, clockByMs: 0 } },
        { lapse: 1, after: 21, fault: { kind: 'kill', who: 'actor' } },
      ],
      seed: 850_656_912,
    },
  },
  {
    title: 'a sign-in that the engine loses in the same way',
    schedule: {
      instances: 1,
      lapses: ['due', 'due'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [
        { lapse: 1, after: 49, fault: { kind: 'empty' } },
        { lapse: 1, after: 45, fault: { kind: 'fail-over', downMs: 2_670, clockByMs: 0 } },
        { lapse: 1, after: 17, fault: { kind: 'login' } },
      ],
      seed: 1_794_691_692,
    },
  },
  {
    title:
      'a token that expired before there were two primaries: it is not sent before there have been two for two minutes',
    schedule: {
      instances: 2,
      lapses: ['due', 'due'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [
        { lapse: 0, after: 18, fault: { kind: 'suspend', who: 'actor', forMs: 60_852 } },
        { lapse: 1, after: 0, fault: { kind: 'split', forMs: 70_680, downMs: 2_682, stay: 4 } },
      ],
      seed: 107_341_582,
    },
  },
  {
    title: 'an answer of the engine that waited for a suspended process: it is not taken to be of now',
    schedule: {
      instances: 2,
      lapses: ['due'],
      lifetimeMs: 3_600_000,
      apart: false,
      faults: [
        at(46, { kind: 'suspend', who: 'actor', forMs: 60_000 }),
        at(45, { kind: 'empty' }),
        at(31, { kind: 'fail-over', downMs: 3_149, clockByMs: -696 }),
        at(17, { kind: 'fail-over', downMs: 5_869, clockByMs: 3_600_000 }),
      ],
      seed: 38,
    },
  },
  {
    title:
      'such an answer, when the engine has lost its login meanwhile: the process knows the login, and puts it again',
    schedule: {
      instances: 1,
      lapses: ['due'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [at(1, { kind: 'empty' }), at(0, { kind: 'suspend', who: 'actor', forMs: 20_000 })],
      seed: 0,
    },
  },
  {
    title: 'a clock that is set while a record is held: the times of the record go back as they came',
    schedule: {
      instances: 4,
      lapses: ['refused', 'due'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [
        { lapse: 1, after: 0, fault: { kind: 'unreachable', who: 'actor', forMs: 100 } },
        { lapse: 1, after: 27, fault: { kind: 'split', forMs: 43_804, downMs: 500, stay: 2 } },
        { lapse: 1, after: 7, fault: { kind: 'break-link', forMs: 20_000 } },
        { lapse: 1, after: 6, fault: { kind: 'wall-clock', who: 1, byMs: 121_940 } },
      ],
      seed: 466_875_815,
    },
  },
  {
    title: 'a sign-in that is put on a second server, for the first gave no answer: it is one login',
    schedule: {
      instances: 2,
      lapses: ['due', 'refused'],
      lifetimeMs: 3_600_000,
      apart: false,
      faults: [
        at(45, { kind: 'fail-over', downMs: 5_299, clockByMs: -64_748_422 }),
        at(37, { kind: 'split', forMs: 19_122, downMs: 801, stay: 10 }),
        at(7, { kind: 'login' }),
      ],
      seed: 1_180_777_033,
    },
  },
  {
    title: 'an answer that is overtaken by a later one: the process does not go back to an earlier token',
    schedule: {
      instances: 1,
      lapses: ['refused', 'refused'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [
        { lapse: 1, after: 1, fault: { kind: 'suspend', who: 'actor', forMs: 215 } },
        at(17, { kind: 'fail-over', downMs: 1_974, clockByMs: 0 }),
      ],
      seed: 9,
    },
  },
  {
    title: 'an answer to a put that comes after one to a later read, and shows more',
    schedule: {
      instances: 1,
      lapses: ['refused', 'refused', 'refused'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [
        { lapse: 1, after: 44, fault: { kind: 'fail-over', downMs: 3_743, clockByMs: 0 } },
        { lapse: 1, after: 16, fault: { kind: 'cut', who: 'actor', forMs: 14_174 } },
      ],
      seed: 1_802_554_942,
    },
  },
  {
    title: 'a logout that fails, for the engine is away, is done again by its person, and is one then',
    schedule: {
      instances: 1,
      lapses: ['due', 'due', 'due'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [
        { lapse: 2, after: 1, fault: { kind: 'logout' } },
        { lapse: 0, after: 0, fault: { kind: 'logout' } },
        { lapse: 2, after: 19, fault: { kind: 'split', forMs: 100, downMs: 500, stay: 15 } },
        { lapse: 2, after: 0, fault: { kind: 'login' } },
      ],
      seed: 0,
    },
  },
];

test('a process may go back to a login that the clocks of the engine put later: that is residue, and only with such clocks', async () => {
  const run = (clockByMs: number) =>
    runSchedule({
      instances: 2,
      lapses: ['due', 'due'],
      lifetimeMs: 300_000,
      apart: false,
      faults: [
        at(0, { kind: 'fail-over', downMs: 500, clockByMs }),
        { lapse: 1, after: 1, fault: { kind: 'split', forMs: 5_872, downMs: 5_802, stay: 7 } },
        { lapse: 1, after: 0, fault: { kind: 'login' } },
        { lapse: 1, after: 0, fault: { kind: 'login' } },
      ],
      seed: 1_111_195_326,
    });
  expect(await run(11_055)).toMatchObject({
    broken: [],
    residue: [expect.stringContaining('the clocks of the engine')],
  });
  expect(await run(0)).toMatchObject({ broken: [], residue: [] });
});

test.each(REGRESSIONS)('$title', async ({ schedule }) => {
  expect(await runSchedule(schedule)).toMatchObject({ broken: [], residue: [] });
});
