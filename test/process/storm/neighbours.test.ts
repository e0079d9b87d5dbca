import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { faults } from '../../peers/faults/faults.ts';
import { StormWorld } from '../../storm/world.ts';

const REFRESH_MS = 1_500;

/** A bridge whose refresh is under way at the server. */
async function refreshing() {
  const world = await StormWorld.create();
  await world.lapse('default', await world.signIn(), true);
  world.authority.failRefresh(faults.delay(REFRESH_MS));
  const bridge = world.start();
  const call = bridge.call();
  await world.authority.requests.waitFor(({ body }) => body.includes('grant_type=refresh_token'));
  return { world, bridge, call };
}

test('a logout during a refresh: its response restores nothing', async () => {
  const { world, bridge, call } = await refreshing();
  await using _ = world;
  await world.browser.setMode('ignore');
  // Waits for the lock, and with it for the refresh; then revokes.
  expect(await world.command('logout')).toMatchObject({ code: 0 });
  expect(await world.record()).toBeUndefined();
  // The bridge that still has the token in memory is refused, finds nothing, and asks.
  const asked = bridge.call();
  await world.browser.waitForOpened(1);
  expect(await world.record()).toBeUndefined();
  expect(
    (await readdir(world.credentials)).filter((name) => /\.(json|answer|claim|lost|tmp)$/.test(name)),
  ).toEqual([`${world.key()}.sign-in.json`]);
  expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0, codeExchanges: 1 });
  await world.end(bridge);
  expect(await asked).toMatchObject({ kind: 'gone' });
  await call;
});

test('a sign-in during a refresh: the login stays, and serves the call', async () => {
  const { world, call } = await refreshing();
  await using _ = world;
  const login = await world.signIn();
  expect(await call).toMatchObject({ kind: 'served' });
  expect(await world.record()).toMatchObject({
    family: login.family,
    tokens: { refreshToken: login.tokens?.refreshToken },
  });
  expect(world.authority.counters).toMatchObject({ replays: 0, refreshPosts: 1 });
  expect(world.browser.opened).toHaveLength(0);
});

test('two profiles, scopes and client ids at once: separate logins, and refreshes do not touch each other', async () => {
  const clients = ['by-hand', 'by-other-hand'].map((id) => ({
    client_id: id,
    application_type: 'native' as const,
    token_endpoint_auth_method: 'none' as const,
    redirect_uris: ['http://127.0.0.1/callback'],
    response_types: ['code' as const],
    grant_types: ['authorization_code', 'refresh_token'],
  }));
  await using world = await StormWorld.create({ extras: { clients } });
  const identities = [
    [],
    ['--profile', 'second'],
    ['--scope', 'mcp:tools'],
    ['--scope', 'mcp:tools mcp:extra'],
    ['--client-id', 'by-hand'],
    ['--client-id', 'by-other-hand'],
  ];
  const instances = identities.flatMap((args) => [world.start({ args }), world.start({ args })]);
  for (const end of await Promise.all(instances.map((one) => one.call())))
    expect(end).toMatchObject({ kind: 'served' });
  expect(world.browser.opened).toHaveLength(6);
  expect(world.authority.counters).toMatchObject({ registrations: 4, codeExchanges: 6 });
  for (const lapse of [1, 2]) {
    world.authority.tokens.revokeAll();
    for (const end of await Promise.all(instances.map((one) => one.call())))
      expect(end).toMatchObject({ kind: 'served' });
    expect(world.authority.counters).toMatchObject({ refreshPosts: 6 * lapse, replays: 0, codeExchanges: 6 });
  }
});
