import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CORPUS, oddly, PLAIN } from '../chaos/corpus.ts';
import { runScenario } from '../chaos/run-scenario.ts';
import { trySeed } from '../chaos/try-scenario.ts';

/** The same scenarios in each run; `npm run chaos` takes others, and more of them. */
const SEEDS = Array.from({ length: 30 }, (_, at) => 9_000 + at);

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

  const naive = fileURLToPath(new URL('../chaos/naive-bridge.mjs', import.meta.url));
  test.each([
    ['a call ran twice', { status: 500, framing: 'text', pieces: [] }],
    ['a call that ran was said not to have run', { status: 302, framing: 'text', pieces: [] }],
    ['the process ended', { pieces: ['nonsense'] }],
    ['an id was answered twice', { framing: 'events', pieces: ['answer', 'answer'] }],
    ['stdout was not pure', { framing: 'events', pieces: ['wrong-id', 'answer'] }],
  ] as const)(
    'detects a naive bridge: %s',
    async (what, reply) => {
      const { violations, report } = await runScenario({ ...PLAIN, oddities: [oddly('call', reply)] }, naive);
      expect(
        violations.map((violation) => violation.what),
        report,
      ).toContain(what);
    },
    TIMEOUT_MS,
  );

  test.each(SEEDS)(
    'with every oddity, seed %i',
    async (seed) => {
      const finding = await trySeed(seed);
      expect(finding?.outcome.violations ?? [], JSON.stringify(finding?.scenario)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
