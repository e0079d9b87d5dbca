import { relative } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import { missingThreats, type TestEnd } from './judge.ts';
import { ATTACKS } from './rows.ts';

/** Fails a run in which a test that a row of the threats names was skipped, left out or renamed: such a run has shown nothing of it. */
export class ThreatsReporter implements Reporter {
  readonly #folder: string;
  #vitest: Vitest | undefined;

  /** `folder`: that of all tests. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    // Of tests that were chosen by name (-t) the others are skipped on purpose.
    if (modules.some(({ project }) => project.config.testNamePattern !== undefined)) return;
    const run = new Map(modules.map((module) => [this.#nameOf(module), ends(module)] as const));
    const missing = missingThreats(ATTACKS, run);
    if (missing.length === 0) return;
    this.#vitest?.logger.error(`\nThreats of which this run has shown nothing:\n  ${missing.join('\n  ')}\n`);
    process.exitCode = 1;
  }

  #nameOf({ moduleId }: TestModule): string {
    return relative(this.#folder, moduleId)
      .replace(/\.test\.ts$/, '')
      .replaceAll('\\', '/');
  }
}

function ends(module: TestModule): TestEnd[] {
  return [...module.children.allTests()].map((test) => ({
    name: test.fullName,
    state: test.result().state,
  }));
}
