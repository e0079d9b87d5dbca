import { describe, test } from 'vitest';
import { PROPERTIES } from '../fuzz/all.ts';

/** The same inputs in each run; `npm run fuzz` takes others, and more of them. */
const SEED = 5;
const RUNS = 60;
/** Seconds of processor time in all; a machine that is busy with other things may take its time. */
const TIMEOUT_MS = 60_000;

describe('input from outside', () => {
  test.each(PROPERTIES.map((one) => [one.name, one] as const))(
    '%s',
    async (_, one) => {
      await one.run({ seed: SEED, runs: RUNS });
    },
    TIMEOUT_MS,
  );
});
