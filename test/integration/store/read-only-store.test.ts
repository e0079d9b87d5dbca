import { chmod, lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { DiskStore } from '../../../src/store/disk-store.ts';
import { findRuntimeFolder } from '../../../src/store/files/runtime-folder.ts';
import { ReadOnlyStore } from '../../../src/store/read-only-store.ts';
import type { CredentialRecord } from '../../../src/store/record/record.ts';
import { serializeRecord } from '../../../src/store/record/record-schema.ts';
import { sealingOf } from '../../../src/store/system-keychain.ts';
import { expiredLogin } from '../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';
import { asRoot, hasRoot } from '../../peers/processes/tools.ts';

const KEY = 'ab'.repeat(32);
const signal = new AbortController().signal;
const login = expiredLogin('https://as.example/token', 'R0');
const record: CredentialRecord = { ...login, version: 1, revision: 5 };
const identity = { server: login.server };

/** A home with a login, as two processes see it that cannot write there. */
class World implements AsyncDisposable {
  readonly home: TemporaryHome;

  private constructor(home: TemporaryHome) {
    this.home = home;
  }

  static async create(): Promise<World> {
    const world = new World(await TemporaryHome.create());
    await mkdir(world.credentials, { recursive: true });
    await world.onDisk(record);
    return world;
  }

  get credentials(): string {
    return join(this.home.state, 'credentials');
  }

  get runtime(): string {
    return join(this.home.folder, 'runtime');
  }

  onDisk(written: CredentialRecord): Promise<void> {
    return writeFile(join(this.credentials, `${KEY}.json`), serializeRecord(written), { mode: 0o600 });
  }

  store(): ReadOnlyStore {
    const sealing = sealingOf(this.credentials);
    const shared = new DiskStore(this.runtime, { clock: systemClock, random: systemRandom }, sealing);
    return new ReadOnlyStore(this.credentials, shared, sealing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.home.close();
  }
}

const note = (outcome: string) => ({ ...login, lastRefresh: { at: 1, outcome } });

test('all processes see each write, with the same revisions as on a disk; the home stays unchanged', async () => {
  await using world = await World.create();
  const [one, other] = [world.store(), world.store()];
  expect(await one.read(KEY, identity)).toEqual({ kind: 'record', record });
  expect(await one.write(KEY, note('a'), record)).toMatchObject({ kind: 'written', record: { revision: 6 } });
  expect(await other.read(KEY, identity)).toMatchObject({
    record: { revision: 6, lastRefresh: { outcome: 'a' } },
  });
  expect(await other.write(KEY, note('b'), record)).toEqual({ kind: 'superseded' });
  expect((await world.store().read(KEY)).kind).toBe('record');
  expect(await readdir(world.credentials)).toEqual([`${KEY}.json`]);
  expect((await lstat(join(world.runtime, `${KEY}.json`))).mode & 0o777).toBe(0o600);
  expect((await lstat(world.runtime)).mode & 0o777).toBe(0o700);
});

test('a reservation of one process is seen by the others', async () => {
  await using world = await World.create();
  const [one, other] = [world.store(), world.store()];
  await one.withLock(KEY, (held) => held.reserve('hash', 1), { signal });
  const claims = await other.withLock(KEY, (held) => held.reservations('hash'), { signal });
  expect(claims).toMatchObject([{ number: 1, owner: 'alive' }]);
  await one.withLock(KEY, (held) => held.clearReservations('hash'), { signal });
});

test('emptied while they run, as at the end of a session: a used token is not read from the home again', async () => {
  await using world = await World.create();
  const store = world.store();
  await store.write(KEY, note('a'), record);
  await rm(world.runtime, { recursive: true });
  expect(await store.read(KEY, identity)).toMatchObject({ record: { revision: 6 } });
  const read = await store.withLock(KEY, (held) => held.read(identity), { signal });
  expect(read).toMatchObject({ record: { revision: 6 } });
  expect(await world.store().read(KEY, identity)).toMatchObject({ record: { revision: 6 } });
});

test('a login that is written to the disk later counts', async () => {
  await using world = await World.create();
  const store = world.store();
  await store.write(KEY, note('a'), record);
  const tokens = { accessToken: 'L1', tokenType: 'Bearer', obtainedAt: Date.now() + 1_000 };
  await world.onDisk({ ...record, family: 'later', revision: 1, tokens });
  expect(await store.read(KEY, identity)).toMatchObject({ record: { family: 'later' } });
  const read = await world.store().withLock(KEY, (held) => held.read(identity), { signal });
  expect(read).toMatchObject({ record: { family: 'later', revision: 1 } });
});

test('a logout holds for this process, until it signs in again', async () => {
  await using world = await World.create();
  const store = world.store();
  await store.remove(KEY);
  expect(await store.read(KEY, identity)).toEqual({ kind: 'absent' });
  expect(await store.withLock(KEY, (held) => held.read(identity), { signal })).toEqual({ kind: 'absent' });
  expect(await store.write(KEY, { ...login, family: 'again' }, 'any')).toMatchObject({ kind: 'written' });
  expect(await store.read(KEY, identity)).toMatchObject({ record: { family: 'again' } });
});

test('a file that is not a record is reported once', async () => {
  await using world = await World.create();
  const path = join(world.credentials, `${KEY}.json`);
  await writeFile(path, 'torn');
  const store = world.store();
  expect(await store.read(KEY, identity)).toEqual({ kind: 'corrupt', setAside: path });
  expect(await store.read(KEY, identity)).toEqual({ kind: 'absent' });
});

test('each process finds the same private place by itself, for this home only', async () => {
  await using home = await TemporaryHome.create();
  const parents = [join(home.folder, 'missing'), home.folder];
  const found = await findRuntimeFolder(home.state, parents);
  expect(found?.startsWith(join(home.folder, 'mcp-drawbridge'))).toBe(true);
  expect(await findRuntimeFolder(home.state, parents)).toBe(found);
  expect(await findRuntimeFolder(`${home.state}2`, parents)).not.toBe(found);
  expect((await lstat(found ?? '')).mode & 0o777).toBe(0o700);
  expect(await findRuntimeFolder(home.state, parents.slice(0, 1))).toBeUndefined();
});

test.each<[string, (parent: string, folder: string) => Promise<unknown>]>([
  ['anybody may rename what is in it', (parent) => chmod(parent, 0o777)],
  [
    'a link lies there',
    async (parent, folder) => {
      await rm(folder, { recursive: true });
      await mkdir(join(parent, 'elsewhere'));
      await symlink(join(parent, 'elsewhere'), folder);
    },
  ],
  ['what lies there is open to others', (_, folder) => chmod(folder, 0o722)],
  [
    'a file lies there',
    async (_, folder) => {
      await rm(folder, { recursive: true });
      await writeFile(folder, '');
    },
  ],
])('a place is passed over where %s', async (_, arrange) => {
  await using home = await TemporaryHome.create();
  const [bad, good] = [join(home.folder, 'bad'), join(home.folder, 'good')];
  await mkdir(bad);
  await mkdir(good);
  const before = (await findRuntimeFolder(home.state, [bad])) ?? '';
  expect(await findRuntimeFolder(home.state, [bad, good])).toBe(before);
  await arrange(bad, join(before, '..'));
  expect((await findRuntimeFolder(home.state, [bad, good]))?.startsWith(good)).toBe(true);
});

test('a folder with the sticky bit is accepted, as on usual systems', async () => {
  await using home = await TemporaryHome.create();
  const parent = join(home.folder, 'shared');
  await mkdir(parent);
  await chmod(parent, 0o1777);
  expect(await findRuntimeFolder(home.state, [parent])).toBeDefined();
});

test.skipIf(!hasRoot())('a place that another user has taken is skipped', async () => {
  await using home = await TemporaryHome.create();
  const [bad, good] = [join(home.folder, 'bad'), join(home.folder, 'good')];
  await mkdir(bad);
  await mkdir(good);
  const before = (await findRuntimeFolder(home.state, [bad])) ?? '';
  const taken = join(before, '..');
  const { uid, gid } = await lstat(taken);
  asRoot('chown', '65534:65534', taken);
  const found = await findRuntimeFolder(home.state, [bad, good]);
  asRoot('chown', `${uid}:${gid}`, taken);
  expect(found?.startsWith(good)).toBe(true);
});
