import { expect, test } from 'vitest';
import { SLEPT_MS, WAKE_LOOK_MS } from '../../../../src/bridge/timing/limits.ts';
import { WakeDetector, wentAhead } from '../../../../src/bridge/timing/wake-detector.ts';
import { systemClock } from '../../../../src/platform/clock.ts';
import { silentLogger } from '../../../../src/platform/log/logger.ts';

const NAP = WAKE_LOOK_MS + SLEPT_MS + 1;

/** A detector on clocks that stand where they are put; its own looks come when `tick` says so. */
function detector(onWake?: () => void) {
  const stop = new AbortController();
  const world = {
    wall: 1_000_000,
    uptime: 5_000,
    uptimeReads: 0,
    events: [] as string[],
    warnings: [] as unknown[],
    asked: [] as number[],
    tick: () => {},
    stop: () => stop.abort(new Error('over')),
  };
  const clock = {
    ...systemClock,
    now: () => world.wall,
    uptime: () => {
      world.uptimeReads++;
      return world.uptime;
    },
    sleep: (ms: number) => {
      world.asked.push(ms);
      return new Promise<void>((resolve, reject) => {
        world.tick = resolve;
        stop.signal.addEventListener('abort', () => reject(stop.signal.reason));
      });
    },
  };
  const watch = new WakeDetector({
    clock,
    logger: { ...silentLogger, warn: (event, fields) => world.warnings.push([event, fields?.detail]) },
    signal: stop.signal,
    onWake: onWake ?? (() => world.events.push('wake')),
    onClockMoved: () => world.events.push('moved'),
  });
  return { world, watch };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('exactly the limit is not a sleep', () => {
  expect(wentAhead(0, WAKE_LOOK_MS + SLEPT_MS)).toBe(false);
  expect(wentAhead(0, NAP)).toBe(true);
});

test('a check with each message reads one clock while nothing happens', () => {
  const { world, watch } = detector();
  const { uptimeReads } = world;
  for (let n = 0; n < 100; n++) {
    world.wall += WAKE_LOOK_MS;
    watch.look();
  }
  expect(world.events).toEqual([]);
  expect(world.uptimeReads).toBe(uptimeReads);
});

test('a sleep is reported once', () => {
  const { world, watch } = detector();
  world.wall += NAP;
  world.uptime += NAP;
  watch.look();
  watch.look();
  expect(world.events).toEqual(['wake']);
});

test('a wall clock that is set ahead is distinguished from a sleep', () => {
  const { world, watch } = detector();
  world.wall += NAP;
  watch.look();
  watch.look();
  expect(world.events).toEqual(['moved']);
});

test('a sleep during which the wall clock stood still is noticed', async () => {
  const { world } = detector();
  world.uptime += NAP;
  world.tick();
  await turn();
  expect(world.events).toEqual(['wake']);
  world.wall += 1;
  world.tick();
  await turn();
  expect(world.events).toEqual(['wake']);
  expect(world.asked).toEqual([WAKE_LOOK_MS, WAKE_LOOK_MS, WAKE_LOOK_MS]);
});

test('its periodic checks end with the bridge', async () => {
  const { world } = detector();
  world.stop();
  await turn();
  world.uptime += NAP;
  await turn();
  expect(world.events).toEqual([]);
  expect(world.asked).toEqual([WAKE_LOOK_MS]);
});

test('a failure after a sleep is logged, and the message is sent', () => {
  const { world, watch } = detector(() => {
    throw new Error('no pool');
  });
  world.wall += NAP;
  world.uptime += NAP;
  expect(() => watch.look()).not.toThrow();
  expect(world.warnings).toEqual([['an unexpected error', 'connecting after a sleep']]);
});
