import fc from 'fast-check';
import type { Broken } from './oracle.ts';
import { type Outcome, runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

/** A scenario that breaks something, as small as it could be made in the time. */
export interface Finding {
  readonly seed: number;
  readonly what: Broken;
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

/** Making one smaller runs it many times, each with a bridge of its own. */
export const SHRINK_MS = 90_000;

/**
 * Runs the scenario of this seed; undefined where all holds. What breaks is made smaller as long as the same breaks; `onBroken` is called
 * before that.
 */
export async function trySeed(
  seed: number,
  words: readonly string[] = [],
  onBroken: (what: Broken) => void = () => undefined,
): Promise<Finding | undefined> {
  let finding: Finding | undefined;
  let shrinkUntil = Number.POSITIVE_INFINITY;
  const property = fc.asyncProperty(scenarios(words), async (scenario) => {
    if (Date.now() > shrinkUntil) return;
    const outcome = await runScenario(scenario);
    const broken = outcome.violations.find(({ what }) => what === (finding?.what ?? what));
    if (broken === undefined) return;
    if (finding === undefined) {
      shrinkUntil = Date.now() + SHRINK_MS;
      onBroken(broken.what);
    }
    finding = { seed, what: broken.what, scenario, outcome };
    throw new Error(broken.what);
  });
  await fc.check(property, { seed, numRuns: 1 });
  return finding;
}
