import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { countingSleep } from '../../../src/platform/clock-jump.ts';

/** A machine whose monotonic clock stands still while it sleeps, and which gives the time since its start in seconds. */
class Machine {
  monotonic = 5_000;
  #uptime = 900_000;
  readonly clock = countingSleep({
    ...systemClock,
    monotonic: () => this.monotonic,
    uptime: () => Math.floor(this.#uptime / 1_000) * 1_000,
  });

  run(ms: number): void {
    this.monotonic += ms;
    this.#uptime += ms;
  }

  sleep(ms: number): void {
    this.#uptime += ms;
  }
}

test('what a machine slept is counted to the second, however it is spread over looks at the clock', () => {
  const machine = new Machine();
  const start = machine.clock.monotonic();
  const passed = () => machine.clock.monotonic() - start;
  machine.run(100);
  expect(passed()).toBe(100);
  machine.sleep(60_000);
  machine.run(1_900);
  expect(Math.abs(passed() - 62_000)).toBeLessThanOrEqual(1_000);
  machine.sleep(3_600_000);
  expect(Math.abs(passed() - 3_662_000)).toBeLessThanOrEqual(1_000);
});

test('seconds instead of milliseconds are no sleep, and the clock never goes back', () => {
  const machine = new Machine();
  let last = machine.clock.monotonic();
  const start = last;
  for (let step = 0; step < 1_000; step++) {
    machine.run(7);
    const now = machine.clock.monotonic();
    expect(now).toBeGreaterThan(last);
    last = now;
  }
  expect(last - start).toBe(7_000);
  machine.sleep(30_000);
  for (let step = 0; step < 1_000; step++) {
    machine.run(7);
    const now = machine.clock.monotonic();
    expect(now).toBeGreaterThan(last);
    last = now;
  }
  expect(Math.abs(last - start - 44_000)).toBeLessThanOrEqual(1_000);
});

test('a time since the start that goes back changes nothing', () => {
  let uptime = 900_000;
  const clock = countingSleep({ ...systemClock, monotonic: () => 5_000, uptime: () => uptime });
  uptime -= 86_400_000;
  expect(clock.monotonic()).toBe(5_000);
});
