import { describe, expect, test } from 'vitest';
import { CORPUS } from '../chaos/corpus.ts';
import { runScenario } from '../chaos/run-scenario.ts';
import { trySeed } from '../chaos/try-scenario.ts';

/** The same scenarios in each run; `npm run chaos` takes others, and more of them. */
const SEEDS = Array.from({ length: 40 }, (_, at) => 9_000 + at);

/** A scenario that holds takes a second or two; one that does not waits for the longest of the bounds, and is made smaller then. */
const TIMEOUT_MS = 600_000;

// Side by side: most of each is waiting.
describe.concurrent('the built program against servers that behave oddly', () => {
  test.each(Object.entries(CORPUS))(
    '%s',
    async (_, scenario) => {
      const { violations, report } = await runScenario(scenario);
      expect(violations, report).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test.each(SEEDS)(
    'in every odd way, seed %i',
    async (seed) => {
      const finding = await trySeed(seed);
      expect(finding?.outcome.violations ?? [], JSON.stringify(finding?.scenario)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
