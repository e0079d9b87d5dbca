import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { movedClock } from '../../storm/moved-clock.ts';
import { StormWorld } from '../../storm/world.ts';

const YEAR_MS = 365 * 86_400_000;
const HOUR_MS = 3_600_000;

test.each([
  { off: 'a year ahead', offMs: YEAR_MS, atMost: 1 },
  { off: 'a year behind', offMs: -YEAR_MS, atMost: 0 },
])(
  'a wall clock $off: at most $atMost refresh and no sign-in, for each of 3 instances in turn',
  async ({ offMs, atMost }) => {
    await using world = await StormWorld.create();
    await world.signIn();
    const preload = await movedClock(world.home.folder, offMs, 'start');
    for (let turn = 0; turn < 3; turn++) {
      const instance = world.start({ nodeArgs: ['--require', preload] });
      expect(await instance.call()).toMatchObject({ kind: 'served' });
      expect(await instance.call()).toMatchObject({ kind: 'served' });
      await world.end(instance);
    }
    expect(world.authority.counters.refreshPosts).toBeLessThanOrEqual(atMost);
    expect(world.authority.counters).toMatchObject({ replays: 0, codeExchanges: 1 });
  },
);

test('four instances sleep for eight hours: one refresh, the first call is served', async () => {
  await using world = await StormWorld.create();
  await world.signIn();
  const preload = await movedClock(world.home.folder, 8 * HOUR_MS, 'signal');
  const instances = Array.from({ length: 4 }, () => world.start({ nodeArgs: ['--require', preload] }));
  for (const end of await Promise.all(instances.map((one) => one.call()))) expect(end.kind).toBe('served');
  world.authority.tokens.revokeAll();
  for (const { host } of instances) {
    host.kill('SIGUSR2');
    await expect.poll(() => host.stderr).toContain('@moved');
  }
  for (const end of await Promise.all(instances.map((one) => one.call()))) {
    expect(end).toMatchObject({ kind: 'served' });
  }
  expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0, codeExchanges: 1 });
});

test.each([
  { what: 'with a time in the future', ageMs: -HOUR_MS, foreign: false },
  { what: 'left behind, with a foreign file in it', ageMs: HOUR_MS, foreign: true },
])('a lock folder $what does not stop a refresh', async ({ ageMs, foreign }) => {
  await using world = await StormWorld.create();
  await world.lapse('default', await world.signIn(), true);
  const lock = join(world.credentials, `${world.key()}.json.lock`);
  await mkdir(lock);
  if (foreign) await writeFile(join(lock, 'foreign'), 'not ours');
  const at = new Date(Date.now() - ageMs);
  await utimes(lock, at, at);
  const end = await world.start().call();
  expect(end).toMatchObject({ kind: 'served' });
  expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0 });
  if (!foreign) return;
  const [aside = ''] = (await readdir(world.credentials)).filter((name) => name.includes('.lock.aside-'));
  expect(await readFile(join(world.credentials, aside, 'foreign'), 'utf8')).toBe('not ours');
});

test("a later version's record is neither used nor replaced, and the host gets an error", async () => {
  await using world = await StormWorld.create();
  await world.signIn();
  const file = join(world.credentials, `${world.key()}.json`);
  const later = JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), version: 2, endpoints: [] });
  await writeFile(file, later);
  expect(await world.start().call()).toMatchObject({
    kind: 'failed',
    why: expect.stringContaining('later version'),
  });
  expect(await readFile(file, 'utf8')).toBe(later);
  expect(world.browser.opened).toHaveLength(0);
});
