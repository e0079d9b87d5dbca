import { describe, expect, test } from 'vitest';
import { hasRedis } from '../../peers/processes/tools.ts';
import { RedisServer } from '../../peers/redis/redis-server.ts';
import { atEachStep, pointsOf } from '../../storm/fleet/steps.ts';
import { FleetWorld } from '../../storm/fleet/world.ts';
import { lapses } from '../../storm/lapses.ts';

// The same at full size, and with failovers: `npm run storm -- --only fleet`.
const SEED = 20_261_128;

describe.skipIf(!hasRedis())('many machines on one Redis', () => {
  test('4 homes × 2 instances, 4 revoked tokens, 8 kill -9: 4 refreshes, no replay, no sign-in', async () => {
    await using engine = await RedisServer.start({ keepsData: true });
    const figures = await lapses({ instances: 8, lapses: 4, kills: 8, seed: SEED }, () =>
      FleetWorld.create({ url: engine.url, enginePorts: [engine.port] }),
    );
    expect(figures).toMatchObject({ refreshPosts: 4, replays: 0, signIns: 0, kills: 8, failed: [] });
  });

  test('killed between response and put: one login is lost; killed after the put: none', async () => {
    await using engine = await RedisServer.start({ keepsData: true });
    await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port], homes: 2 });
    const all = await pointsOf(world, 1);
    const first = (step: string) => all.filter(({ call }) => call.step === step).slice(0, 1);
    const points = [...first('POST'), ...first('answer'), ...first('after')];
    const runs = await atEachStep({
      world,
      points,
      signal: 'SIGKILL',
      name: 'kill',
      act: async () => ({}),
      patienceMs: 30_000,
    });
    expect(runs.map(({ point, wasHit, isLost }) => [point.call.step, wasHit, isLost])).toEqual([
      ['POST', true, false],
      ['answer', true, true],
      ['after', true, false],
    ]);
    expect(world.authority.counters.replays).toBe(1);
  });
});
