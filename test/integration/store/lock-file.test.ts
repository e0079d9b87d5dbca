import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { currentOwner, type Owner } from '../../../src/platform/process/process-identity.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { withFileLock } from '../../../src/store/lock/file-lock.ts';
import { decideTake, seeLock, takeLock } from '../../../src/store/lock/lock-ownership.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';

const NONCE = '0123456789abcdef'.repeat(2);
const tools = { clock: systemClock, random: systemRandom };
const signal = new AbortController().signal;

/** A folder with a file to lock in it, and its lock if there is one. */
async function place(owner?: Owner) {
  const home = await TemporaryHome.create();
  const file = join(home.folder, 'file');
  const path = `${file}.lock`;
  if (owner !== undefined) await writeFile(path, JSON.stringify({ nonce: NONCE, owner }), { mode: 0o600 });
  return { home, file, path };
}

/** This process's number, and another start. */
const deadOwner = async (): Promise<Owner> => ({ ...(await currentOwner()), startTime: '1' });
const take = async (path: string, step = seeLock(path).then(decideTake)) =>
  takeLock(path, await step, systemRandom);

test('a dead owner is followed at once, by one of many who saw it', async () => {
  const { home, path } = await place(await deadOwner());
  await using _ = home;
  const step = seeLock(path).then(decideTake);
  const taken = await Promise.all(Array.from({ length: 8 }, () => take(path, step)));
  expect(taken.filter((one) => one !== undefined)).toHaveLength(1);
  expect(await seeLock(path)).toMatchObject({ first: NONCE, last: { liveness: 'alive' } });
});

test.each<[string, Partial<Owner>]>([
  ['another machine', { host: 'another', bootId: 'another' }],
  ['another machine of the same name, or before the last boot of this one', { bootId: 'another' }],
  ['another container', { pidNamespace: 'pid:[1]' }],
])('an owner on %s is not judged by a process id that nobody has here', async (_, elsewhere) => {
  const { home, path } = await place({ ...(await deadOwner()), ...elsewhere });
  await using __ = home;
  expect(await seeLock(path)).toMatchObject({ last: { liveness: 'unknown' } });
  expect(await take(path)).toBeUndefined();
});

test.each(['is gone', 'is a new one', 'is a new one of another dead process'])(
  'who saw a dead owner and comes when the lock %s has nothing, and changes nothing',
  async (what) => {
    const { home, file, path } = await place(await deadOwner());
    await using _ = home;
    const late = decideTake(await seeLock(path));
    expect(late.kind).toBe('inherit');
    await withFileLock(file, async () => 'inherited, and released', { signal }, tools);
    if (what !== 'is gone') {
      const owner = what === 'is a new one' ? await currentOwner() : await deadOwner();
      await writeFile(path, JSON.stringify({ nonce: 'f'.repeat(32), owner }));
    }
    const before = await readdir(home.folder);
    expect(await take(path, Promise.resolve(late))).toBeUndefined();
    expect(await readdir(home.folder)).toEqual(before);
  },
);

test('the heir of an heir: the files of all of them go with the lock', async () => {
  const { home, file, path } = await place(await deadOwner());
  await using _ = home;
  const heir = { nonce: 'a'.repeat(32), owner: await deadOwner() };
  await writeFile(`${path}.${NONCE}.next`, JSON.stringify(heir));
  const names = await withFileLock(file, () => readdir(home.folder), { signal }, tools);
  expect(names).toHaveLength(3);
  expect(await readdir(home.folder)).toEqual([]);
});

test.each<[string, (path: string) => Promise<unknown>]>([
  ['nothing', (path) => writeFile(path, '')],
  ['a nonce that leads elsewhere', async (path) => writeFile(path, await named('../../../etc/x'))],
  ['a nonce of another form', async (path) => writeFile(path, await named('N'.repeat(32)))],
  [
    'more than any owner needs',
    async (path) => writeFile(path, `${await named(NONCE)}${' '.repeat(20_000)}`),
  ],
  [
    'what a link leads to',
    async (path) => {
      await writeFile(`${path}.target`, await named(NONCE));
      await symlink(`${path}.target`, path);
    },
  ],
  [
    'a successor of nonsense',
    async (path) => {
      await writeFile(path, await named(NONCE));
      await writeFile(`${path}.${NONCE}.next`, '{}');
    },
  ],
  ['a folder, as earlier versions make', (path) => mkdir(path)],
])('a lock with %s names nobody, and is not taken before its time', async (_, arrange) => {
  const { home, path } = await place();
  await using __ = home;
  await arrange(path);
  expect(await seeLock(path)).toEqual({ kind: 'unreadable' });
  expect(await take(path)).toBeUndefined();
});

async function named(nonce: string): Promise<string> {
  return JSON.stringify({ nonce, owner: await deadOwner() });
}

test('an owner on another machine is given up when its lock has not been touched for 15 s, not before', async () => {
  const { host: _, ...rest } = await deadOwner();
  const { home, file, path } = await place({ ...rest, host: 'another', bootId: 'another' });
  await using __ = home;
  const touched = new Date(Date.now() - 13_500);
  await utimes(path, touched, touched);
  const takenAt = await withFileLock(file, async () => Date.now(), { signal }, tools);
  expect(takenAt - touched.getTime()).toBeGreaterThan(15_000);
  expect(await readdir(home.folder)).toEqual([]);
});

test('with a version that locks by a folder: each finds the lock of the other held', async () => {
  const { home, file } = await place();
  await using _ = home;
  const options = { realpath: false, stale: 15_000, update: 5_000 };
  await withFileLock(
    file,
    async () => await expect(lockfile.lock(file, options)).rejects.toMatchObject({ code: 'ELOCKED' }),
    { signal },
    tools,
  );
  const release = await lockfile.lock(file, options);
  const stopped = withFileLock(file, async () => 'locked', { signal, onTurn: async () => 'held' }, tools);
  expect(await stopped).toBe('held');
  await release();
  expect(await withFileLock(file, async () => 'locked', { signal }, tools)).toBe('locked');
});
