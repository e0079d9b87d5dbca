import { expect, it } from 'vitest';
import { faults } from '../peers/faults/faults.ts';
import { LoginWorld } from './login-world.ts';
import { PATIENT } from './wine-world.ts';

it('8 instances on one login, a token revoked again and again: one refresh each time, no sign-in', async () => {
  await using world = await LoginWorld.create();
  const first = await world.served();
  const hosts = [first, ...(await Promise.all(Array.from({ length: 7 }, () => world.served())))];
  for (let lapse = 1; lapse <= 4; lapse++) {
    world.authority.tokens.revokeAll();
    await Promise.all(hosts.map((host) => world.call(host, `lapse ${lapse}`)));
    expect(world.authority.counters).toMatchObject({ refreshPosts: lapse, replays: 0, codeExchanges: 1 });
  }
  expect(world.browser.opened).toHaveLength(1);
  for (const host of hosts) host.assertPure();
});

it('terminated during its refresh: the next one takes over from it and is served', async () => {
  await using world = await LoginWorld.create();
  const victim = await world.served();
  world.authority.tokens.revokeAll();
  world.authority.failRefresh(faults.blackHole, 1);
  victim.send({ jsonrpc: '2.0', id: 'lost', method: 'tools/call', params: { name: 'echo', arguments: {} } });
  await world.authority.requests.until(() => world.authority.counters.refreshPosts === 1, PATIENT);
  victim.kill();
  await victim.exited;
  await world.served();
  // The server had not looked at the first: the token was still good.
  expect(world.authority.counters).toMatchObject({
    refreshPosts: 2,
    refreshes: 1,
    replays: 0,
    codeExchanges: 1,
  });
  expect(world.browser.opened).toHaveLength(1);
});

it.each(['.json', '.json.lock'])(
  'replaces or removes a %s file that another program holds open once it is released',
  async (end) => {
    await using world = await LoginWorld.create();
    const host = await world.served();
    const before = await world.record();
    world.authority.tokens.revokeAll();
    // The server answers when the file is held, and it is held until the answer has had time to be kept.
    world.authority.failRefresh(faults.delay(5_000), 1);
    const call = world.call(host, 'held').then(() => 'served', String);
    await world.authority.requests.until(() => world.authority.counters.refreshPosts === 1, PATIENT);
    const release = await world.wine.windows.hold(world.recordPath.replace(/\.json$/, end));
    await world.authority.events.waitFor(({ kind }) => kind === 'refresh', PATIENT);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await release();
    expect(await call).toBe('served');
    expect((await world.record()).revision).toBeGreaterThan(before.revision);
    expect(world.authority.counters).toMatchObject({ refreshPosts: 1, codeExchanges: 1 });
    // Nothing is left behind that another instance would have to wait for.
    expect((await world.wine.credentials()).filter((name) => !name.endsWith('.json'))).toEqual([]);
  },
);

it('reads a record that another program holds open once it is released', async () => {
  await using world = await LoginWorld.create();
  (await world.served()).kill();
  const release = await world.wine.windows.hold(world.recordPath);
  const host = world.start();
  const opening = host.initialize({}, PATIENT);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await release();
  await opening;
  await world.call(host, 'read');
  expect(world.authority.counters).toMatchObject({ codeExchanges: 1, refreshPosts: 0 });
  expect(world.browser.opened).toHaveLength(1);
});
