import { check } from './check.ts';

/** Runs as a process: its share of the schedules. */
const [count = '0', seed = '0'] = process.argv.slice(2);
const figures = await check({
  schedules: Number(count),
  seed: Number(seed),
  onSchedule: (done) => {
    if (done % 1_000 === 0) process.send?.({ done });
  },
});
process.send?.({ figures });
