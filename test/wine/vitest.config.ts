import { defineConfig } from 'vitest/config';

const root = new URL('../..', import.meta.url).pathname;

/** The built program on Windows' Node under Wine: `npm run test:wine`, which makes the Windows that these tests need. */
export default defineConfig({
  root,
  test: {
    reporters: ['default'],
    include: ['test/wine/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    // One Windows, and each process there takes a second of a processor to start.
    fileParallelism: false,
  },
});
