import { lutimes, mkdir, readdir, rmdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { withFileLock } from '../../../src/store/lock/file-lock.ts';
import { STALE_FILE_MS, STALE_MS } from '../../../src/store/lock/limits.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';

const tools = { clock: systemClock, random: systemRandom };
const signal = new AbortController().signal;

/** A folder with a file to lock in it. */
async function place() {
  const home = await TemporaryHome.create();
  const file = join(home.folder, 'file');
  return { home, file, path: `${file}.lock` };
}

const touch = (path: string, agoMs: number) => {
  const at = new Date(Date.now() - agoMs);
  return utimes(path, at, at);
};

/** Whether somebody has the lock, found out without waiting. */
const tryOnce = (file: string) =>
  withFileLock(file, async () => 'locked', { signal, onTurn: async () => 'held' as const }, tools);

test.each<[string, (path: string) => Promise<unknown>, number]>([
  ['a folder, as this version makes it', (path) => mkdir(path), STALE_MS],
  ['a file, as earlier versions made it', (path) => writeFile(path, '{}'), STALE_FILE_MS],
  ['an empty file', (path) => writeFile(path, ''), STALE_FILE_MS],
])('%s is held until it has not been touched for its time', async (_, make, staleMs) => {
  const { home, file, path } = await place();
  await using __ = home;
  await make(path);
  expect(await tryOnce(file)).toBe('held');
  await touch(path, staleMs - 1_000);
  expect(await tryOnce(file)).toBe('held');
  const touchedAt = (await stat(path)).mtimeMs;
  const takenAt = await withFileLock(file, async () => Date.now(), { signal }, tools);
  expect(takenAt - touchedAt).toBeGreaterThan(staleMs);
  expect(await readdir(home.folder)).toEqual([]);
});

test('a link in its place is not followed, and is taken away', async () => {
  const { home, file, path } = await place();
  await using _ = home;
  const target = join(home.folder, 'target');
  await writeFile(target, 'kept');
  await symlink(target, path);
  const before = new Date(Date.now() - STALE_FILE_MS - 1_000);
  await lutimes(path, before, before);
  expect(await withFileLock(file, async () => 'locked', { signal }, tools)).toBe('locked');
  expect(await readdir(home.folder)).toEqual(['target']);
});

test('a stale folder with a foreign file in it is put aside, and nothing is deleted', async () => {
  const { home, file, path } = await place();
  await using _ = home;
  await mkdir(path);
  await writeFile(join(path, 'foreign'), 'kept');
  await touch(path, STALE_MS + 1_000);
  expect(await withFileLock(file, async () => 'locked', { signal }, tools)).toBe('locked');
  const [aside = ''] = await readdir(home.folder);
  expect(aside).toMatch(/^file\.lock\.aside-/);
  expect(await readdir(join(home.folder, aside))).toEqual(['foreign']);
});

test('a lock of the future would never go stale: it is put aside', async () => {
  const { home, file, path } = await place();
  await using _ = home;
  await mkdir(path);
  await touch(path, -3_600_000);
  expect(await withFileLock(file, async () => 'locked', { signal }, tools)).toBe('locked');
});

test('any user of proper-lockfile and this program find the lock of the other held', async () => {
  const { home, file } = await place();
  await using _ = home;
  const options = { realpath: false, stale: STALE_MS };
  await withFileLock(
    file,
    async () => await expect(lockfile.lock(file, options)).rejects.toMatchObject({ code: 'ELOCKED' }),
    { signal },
    tools,
  );
  const release = await lockfile.lock(file, options);
  expect(await tryOnce(file)).toBe('held');
  await release();
  expect(await withFileLock(file, async () => 'locked', { signal }, tools)).toBe('locked');
});

test('a holder whose lock another process has taken over knows it, and leaves that lock alone', async () => {
  const { home, file, path } = await place();
  await using _ = home;
  const lost = await withFileLock(
    file,
    async (guard) => {
      expect(guard.lost()).toBe(false);
      await rmdir(path);
      await mkdir(path);
      return guard.lost();
    },
    { signal },
    tools,
  );
  expect(lost).toBe(true);
  expect(await readdir(home.folder)).toEqual(['file.lock']);
});

test('a lock that is removed right after it was made, as the stale one before it, is asked for again', async () => {
  const { home, file, path } = await place();
  await using _ = home;
  let isOver = false;
  const remove = async () => {
    while (!isOver) {
      await rmdir(path).catch((error: NodeJS.ErrnoException) => expect(error.code).toBe('ENOENT'));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const removing = remove();
  for (let n = 0; n < 150; n++) {
    expect(await withFileLock(file, async () => n, { signal }, tools)).toBe(n);
  }
  isOver = true;
  await removing;
});

test('a folder that is not there is an error, not a lock to wait for', async () => {
  const { home } = await place();
  await using _ = home;
  const nowhere = join(home.folder, 'nowhere', 'file');
  await expect(withFileLock(nowhere, async () => 'locked', { signal }, tools)).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
