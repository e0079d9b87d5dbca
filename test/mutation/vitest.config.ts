import { defineConfig } from 'vitest/config';
import { TESTS_VARIABLE } from './scope.ts';

// What is read as a local time by mistake is then another time.
process.env.TZ = 'Asia/Kolkata';

const root = new URL('../..', import.meta.url).pathname;

/** The tests that `npm run mutate` runs against the mutants of one part; they arrive by the environment because the runner starts its own process. */
export default defineConfig({
  root,
  test: {
    include: (process.env[TESTS_VARIABLE] ?? 'test/unit/**/*.test.ts').split('\n'),
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
