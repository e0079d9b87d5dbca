import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasRedis } from '../../peers/processes/tools.ts';
import { RedisServer } from '../../peers/redis/redis-server.ts';
import { FleetWorld } from '../../storm/fleet/world.ts';

let engine: RedisServer;
let world: FleetWorld;

beforeEach(async () => {
  if (!hasRedis()) return;
  engine = await RedisServer.start();
  world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port], homes: 2 });
});
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
});

describe.skipIf(!hasRedis())('logout in a store that machines share', () => {
  test.each([
    ['logout', ['default', 'default', 'default']],
    ['logout --all', ['default', 'work', 'work']],
  ])('%s reaches the bridges on every machine: none uses its token any more', async (words, profiles) => {
    for (const profile of new Set(profiles)) await world.signIn(profile);
    const bridges = profiles.map((profile) => world.start({ args: ['--profile', profile, '--debug'] }));
    for (const bridge of bridges) expect((await bridge.call()).kind).toBe('served');
    const named = words === 'logout' ? [world.server.url] : [];
    expect(await world.command([...words.split(' '), ...named])).toMatchObject({ code: 0 });
    for (const bridge of bridges)
      await expect
        .poll(() => bridge.host.stderr, { timeout: 30_000 })
        .toContain('another process has changed the login');
    const { requests } = world.server;
    const from = requests.entries.length;
    for (const bridge of bridges) {
      const why = expect.stringContaining(`login ${world.server.url}`);
      expect(await bridge.call()).toMatchObject({ kind: 'failed', why });
    }
    const sent = requests.entries.slice(from).map(({ headers }) => headers.authorization);
    expect(sent).toEqual(sent.map(() => undefined));
    expect(world.authority.counters).toMatchObject({ refreshPosts: 0, replays: 0 });
    expect(world.browser.opened).toHaveLength(world.signIns);
  });
});
