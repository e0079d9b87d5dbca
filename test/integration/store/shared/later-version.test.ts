import { expect, test } from 'vitest';
import { CellCodec, type Format } from '../../../../src/store/shared/cell-codec.ts';
import { FleetWorld, KEY, PREFIX } from '../../../peers/worlds/fleet-world.ts';

const OTHER_KEY = 'ab'.repeat(32);
const WHY = /in the shared store was written by a later version of this program/;
const asJson: Format<object> = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as object,
};

/** What a later version would write. */
const LATER = { version: 2, something: ['else'] };

/** A cell of a later version, and a way to look at it. */
async function later(world: FleetWorld, nameIn: (codec: CellCodec) => string) {
  const codec = new CellCodec(async () => [world.secret], PREFIX);
  await codec.ready();
  const name = nameIn(codec);
  const engine = world.server.connect();
  const before = await engine.get(name);
  await engine.put(name, codec.seal(name, before.seq + 1, LATER, asJson), before, false);
  return async () => {
    const { seq, body } = await engine.get(name);
    return body && codec.open(name, seq, body, asJson);
  };
}

test('a login of a later version is neither read nor replaced, not even by a sign-in', async () => {
  await using world = await FleetWorld.create();
  const content = await later(world, (codec) => codec.name(KEY, 'credential'));
  const one = await world.instance();
  await expect(one.store.read(KEY)).rejects.toThrow(WHY);
  await expect(one.store.read(KEY)).rejects.toMatchObject({ check: 'store.engine' });
  await expect(one.store.write(KEY, world.login(one), 'any')).rejects.toThrow(WHY);
  await expect(one.store.remove(KEY)).rejects.toThrow(WHY);
  expect(await content()).toEqual(LATER);
});

test('nor is a sign-in', async () => {
  await using world = await FleetWorld.create();
  const content = await later(world, (codec) => codec.name(KEY, 'sign-in'));
  const { leases, clock } = await world.instance();
  await expect(leases.create(KEY, clock.now())).rejects.toThrow(WHY);
  await expect(leases.take?.(KEY, 60_000)).rejects.toThrow(WHY);
  await expect(leases.readStatus(KEY)).resolves.toBeUndefined();
  expect(await content()).toEqual(LATER);
});

test('nor is the list of logins; logins beside it are read and stored', async () => {
  await using world = await FleetWorld.create();
  const one = await world.instance();
  await one.store.write(KEY, world.login(one), 'any');
  const content = await later(world, ({ indexName }) => indexName);
  const late = await world.instance();
  expect((await late.store.read(KEY)).kind).toBe('record');
  await late.store.write(OTHER_KEY, world.login(late), 'any');
  expect((await one.store.read(OTHER_KEY)).kind).toBe('record');
  await late.store.remove(KEY);
  await expect(late.overview()).rejects.toThrow(WHY);
  await expect(late.reseal()).rejects.toThrow(WHY);
  expect(await content()).toEqual(LATER);
});
