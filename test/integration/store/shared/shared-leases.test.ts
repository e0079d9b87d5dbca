import { expect, test } from 'vitest';
import { SignInFollower } from '../../../../src/auth/sign-in/follow.ts';
import type { SignInStatus } from '../../../../src/store/lease/lease.ts';
import { TIMING } from '../../../../src/store/shared/protocol/timing.ts';
import { FleetWorld, type Instance, KEY } from '../../../peers/worlds/fleet-world.ts';

const DAY = 86_400_000;

/** Of a sign-in that runs on this machine. */
function statusOf({ clock }: Instance, nonce: string, part: Partial<SignInStatus> = {}): SignInStatus {
  const now = clock.now();
  return { phase: 'pending', nonce, pid: 4711, startedAt: now, deadline: now + 300_000, ...part };
}

async function created({ leases, clock }: Instance): Promise<string> {
  const lease = await leases.create(KEY, clock.now());
  if (lease.kind !== 'created') throw new Error('the lease is held');
  return lease.nonce;
}

test('one sign-in at a time across all machines, whatever their clocks say', async () => {
  await using world = await FleetWorld.create();
  const machines = [
    await world.instance(),
    await world.instance({ aheadMs: DAY }),
    await world.instance({ aheadMs: -DAY }),
  ] as [Instance, Instance, Instance];
  const answers = await Promise.all(machines.map(({ leases, clock }) => leases.create(KEY, clock.now())));
  const [winner, ...others] = answers.flatMap((answer) => (answer.kind === 'created' ? [answer.nonce] : []));
  expect(others).toEqual([]);
  for (const { leases, clock } of machines) expect(await leases.holder(KEY, clock.now())).toBe(winner);
});

test('a lease ends with its heartbeat, with its release, and if it was never adopted', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2)) as [Instance, Instance];
  const nonce = await created(one);
  expect(await other.leases.adopt(KEY, 'another')).toBe(false);
  expect(await other.leases.adopt(KEY, nonce)).toBe(true);
  for (let beat = 0; beat < 4; beat++) {
    world.pass(10_000);
    expect(await other.leases.heartbeat(KEY, nonce)).toBe(true);
  }
  expect(await one.leases.holder(KEY, 0)).toBe(nonce);
  world.pass(16_000);
  await expect.poll(() => one.leases.holder(KEY, 0)).toBeUndefined();
  const second = await created(one);
  expect(await other.leases.heartbeat(KEY, nonce)).toBe(false);
  await other.leases.release(KEY, nonce);
  expect(await one.leases.holder(KEY, 0)).toBe(second);
  // The process that asked may have been killed before another one took the lease.
  world.pass(16_000);
  await expect.poll(() => other.leases.holder(KEY, 0)).toBeUndefined();
  const third = await created(other);
  await other.leases.release(KEY, third);
  await expect.poll(() => one.leases.holder(KEY, 0)).toBeUndefined();
});

test.each([
  ['created', created],
  ['taken from another process', ({ leases }: Instance) => leases.take?.(KEY, 60_000) ?? ''],
])(
  'a sign-in that was %s is shown on every machine while it goes on, also where nobody was ever signed in',
  async (_, begin) => {
    await using world = await FleetWorld.create();
    const [one, other] = (await world.instances(2)) as [Instance, Instance];
    expect(await other.overview()).toEqual([]);
    const nonce = await begin(one);
    await one.leases.writeStatus(KEY, statusOf(one, nonce, { address: 'https://as.example/' }));
    expect(await other.overview()).toMatchObject([
      { key: KEY, found: { kind: 'absent' }, signIn: { nonce, address: 'https://as.example/' } },
    ]);
    await one.leases.release(KEY, nonce);
    await expect.poll(() => other.overview()).toEqual([]);
  },
);

test('a status reaches every machine, in its own time, and keeps earlier browsers', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = [await world.instance(), await world.instance({ aheadMs: DAY })];
  const nonce = await created(one);
  const changed = other.leases.changed?.(KEY, new AbortController().signal);
  const opened = one.clock.now();
  await one.leases.writeStatus(
    KEY,
    statusOf(one, nonce, { address: 'https://as.example/', startedAt: opened, browserOpenedAt: opened }),
  );
  await changed;
  const seen = await other.leases.readStatus(KEY);
  expect(seen).toMatchObject({ phase: 'pending', nonce, address: 'https://as.example/' });
  expect(Math.abs((seen?.browserOpenedAt ?? 0) - opened - DAY)).toBeLessThan(5_000);
  await one.leases.writeStatus(KEY, statusOf(one, 'later'));
  expect((await one.leases.readStatus(KEY))?.killedBrowsers).toHaveLength(1);
});

test('a follower of a sign-in elsewhere gets its login, also if the engine was away meanwhile', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2)) as [Instance, Instance];
  const nonce = await created(one);
  await one.leases.adopt(KEY, nonce);
  await one.leases.writeStatus(KEY, statusOf(one, nonce));
  const follower = new SignInFollower(
    {
      leases: other.leases,
      key: KEY,
      clock: other.clock,
      usable: async () => {
        const found = await other.store.read(KEY);
        return found.kind === 'record' ? found.record : undefined;
      },
      onRecord: (record) => ({ token: record.tokens?.accessToken ?? '' }),
    },
    nonce,
    new AbortController().signal,
  );
  world.server.isUp = false;
  await world.server.asked('get');
  world.server.isUp = true;
  await one.store.write(KEY, world.login(one), 'any');
  await one.leases.writeStatus(KEY, statusOf(one, nonce, { phase: 'done' }));
  await one.leases.release(KEY, nonce);
  expect((await follower.done).token).toBe('A0');
});

test('a thousand that wait for a sign-in ask the engine 300 times a second together', async () => {
  const signInTurnMs = 40;
  await using world = await FleetWorld.create();
  const one = await world.instance();
  const other = await world.instance({ timing: { signInTurnMs } });
  const nonce = await created(one);
  await one.leases.writeStatus(KEY, statusOf(one, nonce));
  let turns = 0;
  const stop = new AbortController();
  const follower = new SignInFollower(
    {
      leases: {
        ...other.leases,
        changed: async (...asked) => {
          turns++;
          await other.leases.changed?.(...asked);
        },
      },
      key: KEY,
      clock: other.clock,
      usable: async () => {
        const found = await other.store.read(KEY);
        return found.kind === 'record' ? found.record : undefined;
      },
      onRecord: () => ({ token: '' }),
    },
    nonce,
    stop.signal,
  );
  await expect.poll(() => turns, { timeout: 30_000 }).toBeGreaterThan(20);
  const before = { reads: world.server.operations.get('get') ?? 0, turns };
  await expect.poll(() => turns, { timeout: 30_000 }).toBeGreaterThan(before.turns + 50);
  const reads = (world.server.operations.get('get') ?? 0) - before.reads;
  stop.abort();
  await expect(follower.done).rejects.toThrow();
  const turnSeconds = (TIMING.signInTurnMs * 1.5) / 1_000;
  expect((1_000 * reads) / (turns - before.turns) / turnSeconds).toBeLessThanOrEqual(310);
});

test('a lease that is taken over ends for its former owner, whatever that still does', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2)) as [Instance, Instance];
  const former = await created(one);
  expect(await one.leases.adopt(KEY, former)).toBe(true);
  const nonce = await other.leases.take?.(KEY, 300_000);
  if (nonce === undefined) throw new Error('these leases can be taken over');
  expect(await other.leases.adopt(KEY, nonce)).toBe(true);
  expect(await one.leases.heartbeat(KEY, former)).toBe(false);
  await one.leases.release(KEY, former);
  expect(await other.leases.heartbeat(KEY, nonce)).toBe(true);
  await expect.poll(() => one.leases.holder(KEY, 0)).toBe(nonce);
});
