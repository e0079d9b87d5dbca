import { describe, test } from 'vitest';
import { PROPERTIES } from '../fuzz/all.ts';

/** The same inputs in each run; `npm run fuzz` takes others, and more of them. */
const SEED = 5;
const RUNS = 80;

describe('what others wrote', () => {
  test.each(PROPERTIES.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    await one.run({ seed: SEED, runs: RUNS });
  });
});
