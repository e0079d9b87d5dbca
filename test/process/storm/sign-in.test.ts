import { expect, test } from 'vitest';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { faults } from '../../peers/faults/faults.ts';
import type { CountedCall } from '../../peers/faults/kill-plan.ts';
import type { CallEnd, Instance } from '../../storm/instance.ts';
import { Dice } from '../../storm/random.ts';
import { StormWorld } from '../../storm/world.ts';

const SEED = 20_261_121;

/** The address of the sign-in that is going on, once it is another than `before`. */
async function addressShown(world: StormWorld, before?: string): Promise<string> {
  for (const giveUpAt = Date.now() + 30_000; ; ) {
    const face = await world.face();
    if (face?.phase === 'pending' && face.address !== undefined && face.address !== before)
      return face.address;
    if (Date.now() > giveUpAt) throw new Error(`no address: ${JSON.stringify(face)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('permanent invalid_grant: one sign-in for 8 instances, one tab, and no other tab after it failed', async () => {
  await using world = await StormWorld.create({ browser: 'ignore' });
  const { authority, browser } = world;
  await world.signIn();
  const instances = Array.from({ length: 8 }, () => world.start({ args: ['--auth-timeout', '3'] }));
  for (const end of await Promise.all(instances.map((one) => one.call()))) expect(end.kind).toBe('served');
  authority.revokeEverything();
  for (const end of await Promise.all(instances.map((one) => one.call()))) {
    expect(end).toMatchObject({ kind: 'failed', why: expect.stringMatching(/nobody signed in/i) });
  }
  const [opened] = await browser.waitForOpened(1);
  for (const { host } of instances) expect(host.stderr).toContain(opened?.address ?? '?');
  // Asked again, all at once: an address, and no tab.
  const again = instances.map((one) => one.call());
  const address = await addressShown(world, opened?.address);
  expect(browser.opened).toHaveLength(1);
  expect((await visit(address, { answer: 'allow' })).status).toBe(200);
  for (const end of await Promise.all(again)) expect(end).toMatchObject({ kind: 'served' });
  expect(authority.counters).toMatchObject({ refreshPosts: 1, replays: 0, codeExchanges: 2 });
});

test('fifty forged callbacks, then the real one', async () => {
  await using world = await StormWorld.create({ browser: 'ignore' });
  const call = world.start().call();
  const address = await addressShown(world);
  const callback = new URL(address).searchParams.get('redirect_uri') ?? '';
  const dice = new Dice(SEED);
  for (let forgery = 0; forgery < 50; forgery++) {
    const query = dice.pick(['', 'state=', `state=${dice.fraction()}`, 'error=access_denied&state=x']);
    const { status } = await visit(`${callback}?${query}${query === '' ? '' : '&'}code=forged`);
    expect(status, query).toBe(400);
  }
  expect(world.authority.counters.codeExchangePosts).toBe(0);
  expect((await visit(address, { answer: 'allow' })).status).toBe(200);
  expect(await call).toMatchObject({ kind: 'served' });
});

test('a callback after the deadline is refused, and the next sign-in works', async () => {
  await using world = await StormWorld.create({ browser: 'ignore' });
  const instance = world.start({ args: ['--auth-timeout', '2'] });
  const call = instance.call();
  const late = await addressShown(world);
  expect(await call).toMatchObject({ kind: 'failed', why: expect.stringMatching(/nobody signed in/i) });
  await expect(visit(late, { answer: 'allow' })).rejects.toThrow(/ECONNREFUSED/);
  const again = instance.call();
  expect((await visit(await addressShown(world, late), { answer: 'allow' })).status).toBe(200);
  expect(await again).toMatchObject({ kind: 'served' });
  expect(world.browser.opened).toHaveLength(1);
});

/** The calls of one sign-in to which nothing happens. */
async function callsOfSignIn(): Promise<readonly CountedCall[]> {
  await using world = await StormWorld.create();
  const plan = await world.plan(0, { role: 'sign-in' });
  expect(await world.start({ plan }).call()).toMatchObject({ kind: 'served' });
  return (await plan.said()).calls;
}

test(`the sign-in process killed before its lease is its own, and at calls chosen by seed ${SEED}: the next one signs in, with one tab more at most`, async () => {
  const dice = new Dice(SEED);
  const calls = await callsOfSignIn();
  // With this call it would adopt its lease; it holds the lock for it. Until then the lease is that of the process that asked.
  const adoption = calls.findIndex(({ name, on }) => name === 'rename' && on.includes('.lease.')) + 1;
  expect(adoption).toBeGreaterThan(0);
  const part = (calls.length - adoption) / 5;
  expect(part).toBeGreaterThan(8);
  const all = Array.from({ length: 5 }, (_, nth) =>
    dice.between(Math.ceil(adoption + 1 + part * nth), Math.floor(adoption + part * (nth + 1))),
  );
  await Promise.all([adoption, ...all].map((at) => killedSignIn(at)));
}, 90_000);

/** A sign-in that failed before anybody was asked is not started again within five seconds. */
async function served(instance: Instance): Promise<CallEnd> {
  for (const giveUpAt = Date.now() + 30_000; ; ) {
    const end = await instance.call();
    if (end.kind === 'served' || Date.now() > giveUpAt) return end;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function killedSignIn(at: number): Promise<void> {
  await using world = await StormWorld.create();
  const plan = await world.plan(at, { role: 'sign-in' });
  const instance = world.start({ plan });
  const first = instance.call();
  await expect.poll(async () => (await plan.said()).killed, { timeout: 40_000 }).toBeDefined();
  const { killed } = await plan.said();
  const what = `killed in place of call ${at}, ${killed?.name} ${killed?.on}`;
  const dead = (await world.face())?.address;
  const end = await first;
  // Nobody let the first one lapse, so the next one opens a tab too.
  const second = end.kind === 'served' ? first : served(instance);
  expect(await second, what).toMatchObject({ kind: 'served' });
  expect(world.browser.opened.length, what).toBeLessThanOrEqual(dead === undefined ? 1 : 2);
  expect(await world.corruptRecords(), what).toBe(0);
  expect(world.authority.counters.replays, what).toBe(0);
}

test('an authorization server that is down when a sign-in is needed: an error, no tab, then recovery', async () => {
  await using world = await StormWorld.create();
  world.authority.fail('metadata', faults.unavailable);
  const instance = world.start();
  const end = await instance.call();
  expect(end).toMatchObject({ kind: 'failed', why: expect.stringMatching(/503/) });
  expect(world.browser.opened).toHaveLength(0);
  world.authority.heal();
  await expect
    .poll(() => instance.call(), { timeout: 15_000, interval: 500 })
    .toMatchObject({ kind: 'served' });
  expect(world.browser.opened).toHaveLength(1);
});
