import { expect, test } from 'vitest';
import { coldStarts } from '../../storm/cold-starts.ts';
import { lapses } from '../../storm/lapses.ts';
import { isResidue, killMatrix } from '../../storm/matrix.ts';

// The same at full size, with a table and with how long it takes: `npm run storm`.
const SEED = 20_261_121;

test('12 cold starts at once: one registration, one tab, one exchange, all usable', async () => {
  const figures = await coldStarts(12);
  expect(figures).toMatchObject({ registrations: 1, tabs: 1, exchanges: 1, failed: [] });
});

test('8 instances, 10 revoked tokens: 10 refreshes, no sign-in', async () => {
  const figures = await lapses({ instances: 8, lapses: 10, kills: 0, seed: SEED });
  expect(figures).toMatchObject({
    refreshPosts: 10,
    replays: 0,
    signIns: 0,
    tabs: 0,
    corrupt: 0,
    failed: [],
  });
  expect(figures.waitsMs).toHaveLength(80);
});

test(`8 instances, 8 revoked tokens, 20 kill -9 at calls chosen by seed ${SEED}: 8 refreshes, no replay`, async () => {
  const figures = await lapses({ instances: 8, lapses: 8, kills: 20, seed: SEED });
  expect(figures).toMatchObject({ refreshPosts: 8, replays: 0, signIns: 0, tabs: 0, corrupt: 0, failed: [] });
  expect(figures.kills).toBe(20);
});

test.each([{ grace: false }, { grace: true }])(
  'killed at each step, server with grace: $grace: the next one is served, one prompt in the residue only',
  async ({ grace }) => {
    const steps = ['re-read', 'pre-create', 'POST', 'write', 'rename'] as const;
    const { runs, corrupt, replays } = await killMatrix({ runs: 2, grace, atOnce: 4, steps });
    expect(corrupt).toBe(0);
    for (const run of runs) {
      expect(run.call?.step).toBe(run.step);
      expect(run, run.why).toMatchObject({ signedInAgain: isResidue(run) && !grace });
      expect(run.servedAfterMs).toBeDefined();
    }
    const residue = runs.filter(isResidue).length;
    expect(residue).toBeGreaterThan(0);
    expect(replays).toBe(residue);
  },
  60_000,
);
