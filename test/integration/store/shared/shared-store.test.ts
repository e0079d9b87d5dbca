import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { nextStoreKey } from '../../../../src/protocol/store/store-key.ts';
import { Journal } from '../../../peers/net/journal.ts';
import { FleetWorld, type Instance, KEY, tokenOf } from '../../../peers/worlds/fleet-world.ts';

const signal = new AbortController().signal;
const identity = (world: FleetWorld) => ({ server: new URL('/mcp', world.endpoint.address).href });
/** The token that a bridge would send now. */
const current = async ({ authorization }: Instance) => (await authorization.current(signal))?.token;

test('all machines read what one writes, each with its own times', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = [await world.instance(), await world.instance({ aheadMs: 86_400_000 })];
  expect(await one.store.read(KEY)).toEqual({ kind: 'absent' });
  const written = await one.store.write(KEY, world.login(one), null);
  expect(written).toMatchObject({ kind: 'written', record: { family: 'family-1' } });
  const found = await other.store.read(KEY, identity(world));
  if (found.kind !== 'record') throw new Error('absent');
  const leftMs = (found.record.tokens?.expiresAt ?? 0) - other.clock.now();
  expect(leftMs).toBeGreaterThan(3_590_000);
  expect(leftMs).toBeLessThanOrEqual(3_601_000);
  await other.store.remove(KEY);
  expect(await one.store.read(KEY)).toEqual({ kind: 'absent' });
});

test('a write succeeds only if the record has not changed since it was read', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  const login = world.login(one);
  const first = await one.store.write(KEY, login, null);
  if (first.kind !== 'written') throw new Error(first.kind);
  expect(await one.store.write(KEY, login, null)).toEqual({ kind: 'superseded' });
  const second = await one.store.write(KEY, login, first.record);
  expect(second.kind).toBe('written');
  expect(await one.store.write(KEY, login, first.record)).toEqual({ kind: 'superseded' });
  const any = await one.store.write(KEY, { ...login, family: 'g' }, 'any');
  if (any.kind !== 'written') throw new Error(any.kind);
  await one.store.remove(KEY);
  expect(await one.store.write(KEY, login, any.record)).toEqual({ kind: 'superseded' });
});

test('an expired token on eight machines costs one request, and all get its response', async () => {
  await using world = await FleetWorld.create();
  const machines = await world.instances(8, { elsewhere: true });
  const [first] = machines as [Instance];
  await first.store.write(KEY, world.login(first), 'any');
  for (const machine of machines) expect(await current(machine)).toBe('A0');
  world.server.operations.clear();
  const outcomes = await Promise.all(machines.map((machine) => machine.refresh('A0')));
  expect(outcomes.map(tokenOf)).toEqual(machines.map(() => 'A1'));
  expect(world.posts).toBe(1);
  const operations = [...world.server.operations.values()].reduce((sum, count) => sum + count, 0);
  // The refresh itself is 6 of them and the list of names 2; the others look, try and look again.
  expect(operations).toBeLessThanOrEqual(6 * machines.length);
});

test('a token is refreshed before its end, once for all, while the old one works', async () => {
  await using world = await FleetWorld.create();
  const machines = await world.instances(4, { elsewhere: true });
  const [first] = machines as [Instance];
  const now = first.clock.now();
  // A tenth of an hour, and at most five minutes of it: it is due on all machines.
  const times = { obtainedAt: now - 3_480_000, expiresAt: now + 120_000 };
  await first.store.write(KEY, world.login(first, times), 'any');
  for (const machine of machines) expect(await current(machine)).toBe('A0');
  await world.endpoint.posts.waitFor(({ outcome }) => outcome === 'rotated');
  await expect.poll(async () => Promise.all(machines.map(current))).toEqual(machines.map(() => 'A1'));
  expect(world.posts).toBe(1);
});

test('a logout elsewhere reaches every machine, and the response to a pending refresh is not stored', async () => {
  await using world = await FleetWorld.create();
  const [one, other, third] = (await world.instances(3, { elsewhere: true })) as [
    Instance,
    Instance,
    Instance,
  ];
  await one.store.write(KEY, world.login(one), 'any');
  expect([await current(one), await current(other)]).toEqual(['A0', 'A0']);
  await third.store.remove(KEY);
  await expect.poll(() => current(one), { timeout: 5_000 }).toBeUndefined();
  await expect.poll(() => current(other), { timeout: 5_000 }).toBeUndefined();

  await one.store.write(KEY, { ...world.login(one), family: 'second' }, 'any');
  const held = gate();
  world.endpoint.beforeAnswer = () => held.promise;
  const refreshing = one.refresh('A0');
  await world.endpoint.posts.waitFor(({ outcome }) => outcome === 'rotated');
  // Cut off for longer than its hold lasts: the logout takes it over.
  one.engine.isCut = true;
  world.pass(10_000);
  await third.store.remove(KEY);
  one.engine.isCut = false;
  held.resolve();
  expect(tokenOf(await refreshing)).toBe('sign-in');
  expect(tokenOf(await other.refresh('A0'))).toBe('sign-in');
});

/** Keeps back the engine's answer to the next look, until `held` is resolved. */
function holdFirstLook(world: FleetWorld) {
  const [held, isHeld] = [gate(), gate()];
  let looks = 0;
  world.server.intercept = async (moment, operation) => {
    if (moment !== 'after' || operation !== 'get' || ++looks > 1) return;
    isHeld.resolve();
    await held.promise;
  };
  return { held, isHeld };
}

test('a change that is told while the answer to an earlier look is on its way is seen by the next look', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(other)).toBe('A0');
  other.skip(1_000);
  const { held, isHeld } = holdFirstLook(world);
  const earlier = other.store.read(KEY);
  await isHeld.promise;
  await one.store.write(KEY, world.login(one, { accessToken: 'B0' }), 'any');
  const later = other.store.read(KEY);
  held.resolve();
  expect(await later).toMatchObject({ kind: 'record', record: { tokens: { accessToken: 'B0' } } });
  await earlier;
});

test('who waits for a change is not kept waiting where one was told while its look was on its way', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance({ elsewhere: true });
  const other = await world.instance({ elsewhere: true, timing: { turnMs: 3_600_000 } });
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(other)).toBe('A0');
  other.skip(1_000);
  const { held, isHeld } = holdFirstLook(world);
  const look = other.store.read(KEY);
  await isHeld.promise;
  await one.store.write(KEY, world.login(one, { accessToken: 'B0' }), 'any');
  held.resolve();
  await look;
  await other.store.changed(KEY, signal);
});

test('a change that is told is looked at, however short a time ago the last look was', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(other)).toBe('A0');
  await one.store.read(KEY);
  await other.store.read(KEY);
  const held = gate();
  let isWriting = false;
  // Who writes looks before its first put, and not again.
  world.server.intercept = async (moment, operation) => {
    if (operation === 'put') isWriting = true;
    if (operation === 'get' && moment === 'before' && isWriting) await held.promise;
  };
  await one.store.write(KEY, world.login(one, { accessToken: 'B0' }), 'any');
  const found = other.store.read(KEY);
  held.resolve();
  expect(await found).toMatchObject({ kind: 'record', record: { tokens: { accessToken: 'B0' } } });
});

test('a sign-in that a machine has taken is not given up for its own refresh of the login before', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(one)).toBe('A0');
  // The response is stored, but the refresh is not over yet.
  one.engine.settled = async () => {
    const login = world.login(other, { accessToken: 'B0' });
    await other.store.write(KEY, { ...login, family: 'second' }, 'any');
    await expect.poll(() => current(one), { timeout: 5_000 }).toBe('B0');
    return true;
  };
  expect(await one.authorization.recover({ token: 'A0' }, undefined, signal)).toMatchObject({
    kind: 'retry',
    bearer: { token: 'B0' },
  });
  expect(await current(one)).toBe('B0');
  expect(world.posts).toBe(1);
});

test('a logout that a machine has heard of holds for the response to its own refresh', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(one)).toBe('A0');
  one.engine.settled = async () => {
    await other.store.remove(KEY);
    await expect.poll(() => current(one), { timeout: 5_000 }).toBeUndefined();
    return true;
  };
  // Nobody is here to sign in again.
  await expect(one.authorization.recover({ token: 'A0' }, undefined, signal)).rejects.toThrow('a sign-in');
  expect(await current(one)).toBeUndefined();
  expect(world.posts).toBe(1);
});

test('a sign-in elsewhere is adopted by machines whose login is dead', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one, { refreshToken: 'unknown' }), 'any');
  expect(await current(one)).toBe('A0');
  expect(tokenOf(await one.refresh('A0'))).toBe('sign-in');
  const login = world.login(other, { accessToken: 'B0' });
  await other.store.write(KEY, { ...login, family: 'second' }, 'any');
  await expect.poll(() => current(one), { timeout: 5_000 }).toBe('B0');
});

test('a notification without a change costs one look, and no call after it another one', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  const cold = await world.instance({ elsewhere: true });
  expect(await current(cold)).toBe('A0');
  cold.skip(1_000);
  const looked = world.server.asked('get');
  cold.engine.reconnected();
  await looked;
  // The answer is handled after it has come.
  await new Promise((resolve) => setTimeout(resolve, 50));
  cold.skip(1_000);
  const before = world.server.operations.get('get');
  for (let call = 0; call < 10; call++) expect(await current(cold)).toBe('A0');
  expect(world.server.operations.get('get')).toBe(before);
});

test('while the engine is away, the known token works and nothing is refreshed; then all recovers by itself', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  expect([await current(one), await current(other)]).toEqual(['A0', 'A0']);
  world.server.isUp = false;
  expect(await current(one)).toBe('A0');
  const outcome = await one.refresh('A0');
  expect(outcome).toMatchObject({ kind: 'postponed', error: { code: 'store_away' } });
  await expect(one.authorization.recover({ token: 'A0' }, undefined, signal)).rejects.toMatchObject({
    code: 'store_away',
  });
  expect(world.posts).toBe(0);
  const cold = await world.instance();
  await expect(current(cold)).rejects.toMatchObject({ code: 'store_away' });
  world.server.isUp = true;
  expect(await current(cold)).toBe('A0');
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
  expect(world.posts).toBe(1);
});

test('a token response that the engine cannot store is used, and stored once the engine is back', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  world.endpoint.beforeAnswer = async () => {
    world.server.isUp = false;
  };
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  world.server.isUp = true;
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
  expect(world.posts).toBe(1);
});

test('a login that the engine cannot store at once is stored when it is back', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  world.server.isUp = false;
  const asked = world.server.asked('get');
  const writing = one.store.write(KEY, world.login(one), 'any');
  await asked;
  world.server.isUp = true;
  expect(await writing).toMatchObject({ kind: 'written' });
});

test('an exiting process waits until the engine has its response', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  world.endpoint.beforeAnswer = async () => {
    world.server.isUp = false;
  };
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  const closing = one.authorization.close();
  world.server.isUp = true;
  await closing;
  expect(await other.store.read(KEY)).toMatchObject({ record: { tokens: { accessToken: 'A1' } } });
});

test('after a failover that loses the response, a machine that knows it writes it again', async () => {
  await using world = await FleetWorld.create();
  const [one, other, late] = (await world.instances(3, { elsewhere: true })) as [
    Instance,
    Instance,
    Instance,
  ];
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(other)).toBe('A0');
  const before = world.server.snapshot();
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  await expect.poll(() => current(other), { timeout: 5_000 }).toBe('A1');
  one.engine.isCut = true;
  world.server.failOver(before);
  await expect
    .poll(async () => (await late.store.read(KEY)) as object, { timeout: 5_000 })
    .toMatchObject({ record: { tokens: { accessToken: 'A1' } } });
  expect(world.posts).toBe(1);
});

test('after a failover that loses the reservation, nobody reserves while its request may still run', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(other)).toBe('A0');
  const before = world.server.snapshot();
  const held = gate();
  world.endpoint.beforeAnswer = () => held.promise;
  const refreshing = one.refresh('A0');
  await world.endpoint.posts.waitFor(({ outcome }) => outcome === 'rotated');
  world.server.failOver(before);
  const outcome = await other.refresh('A0');
  expect(outcome).toMatchObject({ kind: 'postponed', error: { code: 'token_endpoint' } });
  if (outcome.kind === 'postponed') expect(outcome.error.retryAfterMs).toBeGreaterThan(30_000);
  held.resolve();
  expect(tokenOf(await refreshing)).toBe('A1');
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
  expect(world.posts).toBe(1);
});

test('after a quarantine the token is refreshed as before', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  world.server.failOver();
  expect(await one.refresh('A0')).toMatchObject({ kind: 'postponed', error: { code: 'token_endpoint' } });
  world.pass(40_000);
  expect(await one.refresh('A0')).toMatchObject({ kind: 'postponed' });
  world.pass(5_000);
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
});

test('the reservation of a process that dies before its request expires and is taken over', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  // Cut off when it asks whether it may send: its reservation stays, and it never prepares.
  const seen = new Journal<string>();
  let puts = 0;
  world.server.intercept = async (moment, operation) => {
    if (moment !== 'after' || operation !== 'put' || ++puts !== 2) return;
    one.engine.isCut = true;
    seen.add('reserved');
  };
  expect(await one.refresh('A0')).toMatchObject({ kind: 'postponed', error: { code: 'store_away' } });
  expect(seen.count()).toBe(1);
  world.pass(10_000);
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
  expect(world.posts).toBe(1);
});

test('after a process dies with its request sent, the token is left alone for two minutes, then tried once more', async () => {
  await using world = await FleetWorld.create();
  world.endpoint.grace = true;
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  world.endpoint.beforeAnswer = async () => {
    // Dead from here on: it puts nothing any more.
    one.engine.isCut = true;
    world.endpoint.beforeAnswer = async () => {};
  };
  const left = one.refresh('A0');
  await world.endpoint.posts.waitFor(() => true);
  expect(tokenOf(await left)).toBe('A1');
  world.pass(115_000);
  // Its process may be alive: the others wait, as long as a caller waits for anything.
  const stop = new AbortController();
  const waiting = other.refresh('A0', stop.signal);
  await world.server.asked('get');
  stop.abort(new Error('waited long enough'));
  await expect(waiting).rejects.toThrow('waited long enough');
  expect(world.posts).toBe(1);
  world.pass(5_000);
  expect(tokenOf(await other.refresh('A0'))).toBe('A2');
  expect(world.posts).toBe(2);
});

/** A promise, and what keeps it. */
function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((kept) => {
    resolve = kept;
  });
  return { promise, resolve };
}

test('with two primaries, a machine that may not reach the same one as the others sends nothing', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  one.engine.isPrimary = async () => false;
  const outcome = await one.refresh('A0');
  expect(outcome).toMatchObject({ kind: 'postponed', error: { code: 'store_away' } });
  expect(world.posts).toBe(0);
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
});

test('a machine whose token expired long ago waits two minutes for the confirmation of its primary, and then sends it', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance({ elsewhere: true });
  await one.store.write(KEY, world.login(one), 'any');
  world.pass(10 * 3_600_000);
  const refused = { kind: 'postponed', error: { code: 'store_away' } };
  one.engine.isPrimary = async () => false;
  expect(await one.refresh('A0')).toMatchObject(refused);
  one.skip(115_000);
  expect(await one.refresh('A0')).toMatchObject(refused);
  // It is counted from the first refusal after the last confirmation.
  one.engine.isPrimary = async () => true;
  one.skip(10_000);
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  world.pass(10 * 3_600_000);
  one.engine.isPrimary = async () => false;
  expect(await one.refresh('A1')).toMatchObject(refused);
  one.skip(115_000);
  expect(await one.refresh('A1')).toMatchObject(refused);
  expect(world.posts).toBe(1);
  one.skip(10_000);
  expect(tokenOf(await one.refresh('A1'))).toBe('A2');
});

test('a value that was read before the engine lost it is put again, and not an earlier one', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(other)).toBe('A0');
  other.engine.isCut = true;
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  [one.engine.isCut, other.engine.isCut] = [true, false];
  // The first put of another epoch comes too late: the engine is empty by then.
  world.server.failOver();
  world.server.intercept = async (moment, operation) => {
    if (moment !== 'before' || operation !== 'put') return;
    world.server.intercept = async () => undefined;
    world.server.empty();
  };
  await other.store.withLock(KEY, async () => undefined, { signal });
  expect(await current(other)).toBe('A1');
});

test('calls that come quickly one after the other do not each try what a server that is not the primary has refused', async () => {
  await using world = await FleetWorld.create();
  const pause = { retryMinMs: 60_000, retryMaxMs: 60_000 };
  const one = await world.instance({ elsewhere: true, timing: pause });
  await one.store.write(KEY, world.login(one), 'any');
  one.engine.isPrimary = async () => false;
  const refused = { kind: 'postponed', error: { code: 'store_away' } };
  expect(await one.refresh('A0')).toMatchObject(refused);
  const puts = world.server.operations.get('put');
  for (let call = 0; call < 20; call++) expect(await one.refresh('A0')).toMatchObject(refused);
  expect(world.server.operations.get('put')).toBe(puts);
  // It is tried again when the pause is over, and from then on without one.
  one.engine.isPrimary = async () => true;
  one.skip(60_000);
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  expect(tokenOf(await one.refresh('A1'))).toBe('A2');
});

test('in such a pause, what another machine has refreshed is taken at once', async () => {
  await using world = await FleetWorld.create();
  const pause = { retryMinMs: 60_000, retryMaxMs: 60_000 };
  const one = await world.instance({ elsewhere: true, timing: pause });
  const other = await world.instance({ elsewhere: true });
  await one.store.write(KEY, world.login(one), 'any');
  one.engine.isPrimary = async () => false;
  expect(await one.refresh('A0')).toMatchObject({ kind: 'postponed' });
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
  one.skip(1_000);
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  expect(world.posts).toBe(1);
});

test('a failover between reservation and request: an earlier isPrimary does not count for the reservation', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  const before = world.server.snapshot();
  one.engine.isPrimary = async () => {
    world.server.failOver(before);
    return true;
  };
  expect(await one.refresh('A0')).toMatchObject({ kind: 'postponed' });
  expect(world.posts).toBe(0);
  world.pass(45_000);
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
});

test('a request that is delayed after its reservation is not sent', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  one.engine.isPrimary = async () => {
    one.skip(6_000);
    return true;
  };
  expect(await one.refresh('A0')).toMatchObject({ kind: 'postponed', error: { code: 'store_away' } });
  expect(world.posts).toBe(0);
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
});

test('a machine that slept between deciding that a token may be sent and writing it down does not send it', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2, { elsewhere: true })) as [Instance, Instance];
  await one.store.write(KEY, world.login(one), 'any');
  let puts = 0;
  world.server.intercept = async (moment, operation) => {
    // The hold and the reservation come before it.
    if (moment !== 'before' || operation !== 'put' || ++puts !== 3) return;
    one.sleep(180_000);
    world.pass(180_000);
  };
  expect(await one.refresh('A0')).toMatchObject({ kind: 'postponed', error: { code: 'store_away' } });
  expect(puts).toBeGreaterThan(3);
  expect(world.posts).toBe(0);
  expect(tokenOf(await other.refresh('A0'))).toBe('A1');
});

test('a put whose reply is lost is checked, and sent once', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  let puts = 0;
  world.server.intercept = async (moment, operation) => {
    if (operation !== 'put') return;
    if (moment === 'before') puts++;
    if (moment === 'after' && puts === 1) {
      const { StoreAwayError } = await import('../../../../src/store/files/store-errors.ts');
      throw new StoreAwayError('lost', { applied: 'maybe' });
    }
  };
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  expect(world.posts).toBe(1);
});

test('machines whose clocks differ by a day refresh once, and need no sign-in', async () => {
  await using world = await FleetWorld.create();
  const day = 86_400_000;
  const machines = [
    await world.instance({ elsewhere: true }),
    await world.instance({ elsewhere: true, aheadMs: day }),
    await world.instance({ elsewhere: true, aheadMs: -day }),
  ] as [Instance, Instance, Instance];
  await machines[1].store.write(KEY, world.login(machines[1]), 'any');
  for (const machine of machines) expect(await current(machine)).toBe('A0');
  expect(world.posts).toBe(0);
  const outcomes = await Promise.all(machines.map((machine) => machine.refresh('A0')));
  expect(outcomes.map(tokenOf)).toEqual(['A1', 'A1', 'A1']);
  expect(world.posts).toBe(1);
  for (const machine of machines) await expect.poll(() => current(machine)).toBe('A1');
});

test('a login that processes bring along exists once, and a logout holds for those that start later', async () => {
  await using world = await FleetWorld.create();
  const [one, other] = (await world.instances(2)) as [Instance, Instance];
  const seed = { ...world.login(one), family: 'seed-1' };
  expect(await one.store.write(KEY, seed, null)).toMatchObject({ kind: 'written' });
  expect(await other.store.write(KEY, seed, null)).toEqual({ kind: 'superseded' });
  await other.store.remove(KEY);
  expect(await one.store.write(KEY, seed, null)).toEqual({ kind: 'superseded' });
  expect(await one.store.write(KEY, { ...seed, family: 'seed-2' }, null)).toMatchObject({ kind: 'written' });
});

test('an emptied engine gets the latest login back, even if an old one was brought along meanwhile', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  const seed = { ...world.login(one), family: 'seed-1' };
  await one.store.write(KEY, seed, null);
  expect(await current(one)).toBe('A0');
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  world.server.empty();
  const late = await world.instance({ elsewhere: true });
  await late.store.write(KEY, seed, null);
  await expect.poll(() => one.store.read(KEY)).toMatchObject({ record: { tokens: { accessToken: 'A1' } } });
  await expect.poll(() => late.store.read(KEY)).toMatchObject({ record: { tokens: { accessToken: 'A1' } } });
});

test('without the right key a login is neither read nor replaced, except by a new sign-in', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  const other = await world.instance({ secrets: [new Uint8Array(randomBytes(32))] });
  await one.store.write(KEY, world.login(one), 'any');
  await expect(other.store.read(KEY)).rejects.toMatchObject({ code: 'unknown_key' });
  await expect(other.store.write(KEY, world.login(other), null)).rejects.toMatchObject({
    code: 'unknown_key',
  });
  const rotated = await world.instance({
    secrets: [nextStoreKey(world.secret, randomBytes(32)), world.secret],
  });
  expect(await rotated.store.read(KEY)).toMatchObject({ kind: 'record' });
  expect(await other.store.write(KEY, world.login(other), 'any')).toMatchObject({ kind: 'written' });
});

test('what was changed on the engine counts as no login, and the known one is written back', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  expect(await current(one)).toBe('A0');
  world.server.spoil();
  const late = await world.instance();
  expect(await late.store.read(KEY)).toEqual({ kind: 'absent' });
  await expect.poll(() => one.store.read(KEY)).toMatchObject({ kind: 'record' });
  // Before it is looked at again there is no more than the known one of that machine.
  await expect
    .poll(async () => {
      await one.store.read(KEY);
      return late.store.read(KEY);
    })
    .toMatchObject({ kind: 'record' });
});

test('status shows every login, who works on it, and no token outside of the cells', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  // Long enough not to be in the sealed bytes by chance.
  const tokens = { accessToken: 'access-token-canary', refreshToken: 'refresh-token-canary' };
  await one.store.write(KEY, world.login(one, tokens), 'any');
  await one.store.withLock(
    KEY,
    async () => {
      const [found] = await one.overview();
      expect(found).toMatchObject({ key: KEY, found: { kind: 'record' }, lock: { pid: process.pid } });
    },
    { signal },
  );
  const stored = [...world.server.snapshot()].map(
    ([name, { body }]) => name + Buffer.from(body).toString('latin1'),
  );
  expect(stored).toHaveLength(2);
  expect(stored.join()).not.toMatch(/-canary|family-1|efefef|127\.0\.0\.1/);
  await one.store.remove(KEY);
  expect(await one.overview()).toEqual([]);
});
