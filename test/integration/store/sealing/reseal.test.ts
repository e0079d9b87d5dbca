import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { nextStoreKey } from '../../../../src/protocol/store/store-key.ts';
import { CellCodec } from '../../../../src/store/shared/cell-codec.ts';
import { FleetWorld, KEY, tokenOf } from '../../../peers/worlds/fleet-world.ts';

const OTHER_KEY = 'ab'.repeat(32);
const REMOVED_KEY = '12'.repeat(32);
const signal = new AbortController().signal;
const newSecret = () => new Uint8Array(randomBytes(32));
/** A key that takes the place of the world's. */
const nextTo = (world: FleetWorld) => nextStoreKey(world.secret, randomBytes(32));

test('after it the old key can be taken away: of logins, of removed ones, and of the list', async () => {
  await using world = await FleetWorld.create();
  const next = nextTo(world);
  const running = await world.instance();
  await running.store.write(KEY, world.login(running), 'any');
  await running.store.write(OTHER_KEY, { ...world.login(running), family: 'other' }, 'any');
  await running.store.write(REMOVED_KEY, { ...world.login(running), family: 'removed' }, 'any');
  await running.store.remove(REMOVED_KEY);
  const early = await world.instance({ secrets: [next] });
  for (const key of [KEY, OTHER_KEY, REMOVED_KEY])
    await expect(early.store.read(key)).rejects.toMatchObject({ code: 'unknown_key' });
  await expect(early.overview()).rejects.toMatchObject({ code: 'unknown_key' });

  const both = await world.instance({ secrets: [next, world.secret] });
  expect(await both.reseal()).toMatchObject({ done: 3, before: 0, left: [], isSettled: true });
  expect(await both.reseal()).toMatchObject({ done: 0, before: 3, left: [] });
  const late = await world.instance({ secrets: [next] });
  for (const key of [KEY, OTHER_KEY]) expect((await late.store.read(key)).kind).toBe('record');
  expect(await late.store.read(REMOVED_KEY)).toEqual({ kind: 'absent' });
  expect((await late.overview()).map(({ key }) => key).sort()).toEqual([OTHER_KEY, KEY].sort());
  // A removal is still not kept forever.
  const cells = () => [...world.server.snapshot().keys()].filter((name) => world.server.read(name).seq > 0);
  expect(cells()).toHaveLength(4);
  world.pass(91 * 86_400_000);
  expect(cells()).toHaveLength(3);
});

test('beside a refresh: what the process with the reservation puts is put, once', async () => {
  await using world = await FleetWorld.create();
  const next = nextTo(world);
  const [one, both] = [
    await world.instance({ secrets: [world.secret, next], elsewhere: true }),
    await world.instance({ secrets: [next, world.secret], elsewhere: true }),
  ];
  await one.store.write(KEY, world.login(one), 'any');
  world.endpoint.beforeAnswer = async () => void (await both.reseal());
  expect(tokenOf(await one.refresh('A0'))).toBe('A1');
  expect(world.posts).toBe(1);
  // It still has the old key as its first.
  const late = await world.instance({ secrets: [next] });
  await expect(late.store.read(KEY)).rejects.toMatchObject({ code: 'unknown_key' });
  expect(await both.reseal()).toMatchObject({ done: 1, left: [] });
  const later = await world.instance({ secrets: [next] });
  expect(await later.store.read(KEY)).toMatchObject({ record: { tokens: { accessToken: 'A1' } } });
});

test('a login under a key that is not at hand is named and left, and the others are sealed', async () => {
  await using world = await FleetWorld.create();
  const [next, strange] = [nextTo(world), nextTo(world)];
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  await one.store.write(OTHER_KEY, { ...world.login(one), family: 'other' }, 'any');
  const other = await world.instance({ secrets: [strange, world.secret] });
  await other.store.write(OTHER_KEY, { ...world.login(other), family: 'third' }, 'any');
  const both = await world.instance({ secrets: [next, world.secret] });
  expect(await both.reseal()).toMatchObject({
    done: 1,
    left: [{ key: OTHER_KEY, error: { code: 'unknown_key' } }],
  });
  expect((await other.store.read(OTHER_KEY)).kind).toBe('record');
});

test('an engine that is away ends it, and the next run does the rest', async () => {
  await using world = await FleetWorld.create();
  const next = nextTo(world);
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  await one.store.write(OTHER_KEY, { ...world.login(one), family: 'other' }, 'any');
  const both = await world.instance({ secrets: [next, world.secret] });
  world.server.intercept = async (moment, operation) => {
    if (operation === 'put' && moment === 'after') world.server.isUp = false;
  };
  await expect(both.reseal()).rejects.toMatchObject({ code: 'store_away' });
  world.server.intercept = async () => {};
  world.server.isUp = true;
  expect(await both.reseal()).toMatchObject({ done: 1, before: 1, left: [] });
});

test('a list that another key has sealed is replaced by a sign-in, and not by a refresh', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  const strange = await world.instance({ secrets: [nextTo(world)] });
  await expect(strange.store.write(OTHER_KEY, world.login(strange), null)).rejects.toMatchObject({
    code: 'unknown_key',
  });
  expect((await one.overview()).map(({ key }) => key)).toEqual([KEY]);
  await strange.store.write(OTHER_KEY, world.login(strange), 'any');
  expect((await strange.overview()).map(({ key }) => key)).toEqual([OTHER_KEY]);
});

test('a cell in which no login was ever stored goes by itself, whatever key has sealed it', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  await one.store.withLock(KEY, async () => {}, { signal });
  const late = await world.instance({ secrets: [nextTo(world)] });
  await expect(late.store.read(KEY)).rejects.toMatchObject({ code: 'unknown_key' });
  world.pass(60_000);
  const later = await world.instance({ secrets: [nextTo(world)] });
  expect(await later.store.read(KEY)).toEqual({ kind: 'absent' });
});

test('a bridge that runs takes the keys as they are by now: it opens and seals with those that came later', async () => {
  await using world = await FleetWorld.create();
  const next = nextTo(world);
  let secrets: readonly Uint8Array[] = [world.secret];
  const asked: (boolean | undefined)[] = [];
  const running = await world.instance({
    elsewhere: true,
    secrets: async (isUnknown) => {
      asked.push(isUnknown);
      return secrets;
    },
  });
  await running.store.write(KEY, world.login(running), 'any');
  const both = await world.instance({ secrets: [next, world.secret], elsewhere: true });
  await both.reseal();
  secrets = [next, world.secret];
  expect(tokenOf(await running.refresh('A0'))).toBe('A1');
  expect(asked).not.toContain(true);
  const late = await world.instance({ secrets: [next] });
  expect(await late.store.read(KEY)).toMatchObject({ record: { tokens: { accessToken: 'A1' } } });

  // One whose program has to be asked again.
  let isAsked = false;
  const printed = await world.instance({
    secrets: async (isUnknown) => {
      if (isUnknown === true) isAsked = true;
      return isAsked ? secrets : [world.secret];
    },
  });
  expect((await printed.store.read(KEY)).kind).toBe('record');
});

test('status shows the key of each login, whether it is the first, and a login that cannot be opened beside the others', async () => {
  await using world = await FleetWorld.create();
  const [next, strange] = [nextTo(world), nextTo(world)];
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  await one.store.write(OTHER_KEY, { ...world.login(one), family: 'other' }, 'any');
  const [own] = await one.overview();
  expect(own).toMatchObject({ sealing: { isFirst: true }, epochAgeMs: undefined });
  const other = await world.instance({ secrets: [strange, world.secret] });
  await other.store.write(OTHER_KEY, { ...world.login(other), family: 'third' }, 'any');
  const both = await world.instance({ secrets: [next, world.secret] });
  await both.store.write(REMOVED_KEY, { ...world.login(both), family: 'fourth' }, 'any');
  const shown = new Map((await both.overview()).map((each) => [each.key, each]));
  expect(shown.get(KEY)).toMatchObject({
    found: { kind: 'record' },
    sealing: { keyId: own?.sealing?.keyId, isFirst: false },
  });
  expect(shown.get(OTHER_KEY)).toMatchObject({
    found: { kind: 'sealed', error: { code: 'unknown_key' } },
    sealing: { isFirst: false },
  });
  expect(shown.get(REMOVED_KEY)).toMatchObject({ sealing: { isFirst: true } });
  world.server.failOver();
  await both.store.withLock(KEY, async () => {}, { signal });
  world.pass(90_000);
  const late = await world.instance({ secrets: [next, world.secret] });
  const later = (await late.overview()).find(({ key }) => key === KEY);
  expect(later?.epochAgeMs).toBeGreaterThanOrEqual(90_000);
});

test('names tell nothing to whoever reads them and guesses a login, and stay the same with another key', async () => {
  await using world = await FleetWorld.create();
  const names = async (prefix: string, ...secrets: Uint8Array[]) => {
    const codec = new CellCodec(async () => secrets, prefix);
    await codec.ready();
    return codec.name(KEY, 'credential');
  };
  const next = nextTo(world);
  const own = await names('p', world.secret);
  expect(own).toMatch(/^p:[0-9a-f]{32}:c$/);
  expect(await names('p', next, world.secret)).toBe(own);
  expect(await names('p', next)).toBe(own);
  expect(await names('p', nextStoreKey(next, randomBytes(32)))).toBe(own);
  // All that the operator of the engine knows is the prefix.
  expect(await names('p', newSecret())).not.toBe(own);
});

test('a key of another store is told from a store without the login', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  const strange = await world.instance({ secrets: [newSecret()] });
  await expect(strange.store.read(KEY)).rejects.toMatchObject({
    code: 'unknown_key',
    check: 'store.engine',
  });
  await expect(strange.store.read(OTHER_KEY)).rejects.toMatchObject({ code: 'unknown_key' });
  expect(await one.store.read(OTHER_KEY)).toEqual({ kind: 'absent' });
  // A person who signs in with it has a login of that key; the other one stays what it is.
  await strange.store.write(KEY, world.login(strange, { accessToken: 'B0' }), 'any');
  expect(await strange.store.read(KEY)).toMatchObject({ record: { tokens: { accessToken: 'B0' } } });
  expect(await one.store.read(KEY)).toMatchObject({ record: { tokens: { accessToken: 'A0' } } });
});
