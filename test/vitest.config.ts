import { defineConfig } from 'vitest/config';
import { ThreatsReporter } from './threats/reporter.ts';

const root = new URL('..', import.meta.url).pathname;

/** Most of these tests wait for processes and servers, so that even two processors have time for three files at once. */
const WORKERS = 3;

/** Three projects, one per kind of claim: pure decisions, composed parts, the built program. */
export default defineConfig({
  root,
  test: {
    reporters: ['default', new ThreatsReporter(new URL('.', import.meta.url).pathname)],
    projects: [
      {
        root,
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 10_000,
        },
      },
      {
        root,
        test: {
          name: 'integration',
          sequence: { groupOrder: 1 },
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          maxWorkers: WORKERS,
        },
      },
      {
        root,
        test: {
          name: 'process',
          sequence: { groupOrder: 2 },
          include: ['test/process/**/*.test.ts'],
          testTimeout: 90_000,
          hookTimeout: 60_000,
          maxWorkers: WORKERS,
        },
      },
    ],
  },
});
