import { rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { lutimes, mkdir, readdir, rm, rmdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/platform/clock.ts';
import { systemRandom } from '../../../../src/platform/random.ts';
import { type LockDeps, type LockGuard, withFileLock } from '../../../../src/store/lock/file-lock.ts';
import { STALE_FILE_MS, STALE_MS, WAIT_MS } from '../../../../src/store/lock/limits.ts';
import { TemporaryHome } from '../../../peers/processes/home.ts';
import { isLinux } from '../../../peers/processes/tools.ts';

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

test.each(['a file', 'a folder in use'])('a link to %s is removed, not followed', async (to) => {
  const { home, file, path } = await place();
  await using _ = home;
  const target = join(home.folder, 'target');
  await (to === 'a file' ? writeFile(target, 'kept') : mkdir(target));
  await symlink(target, path);
  const before = new Date(Date.now() - STALE_FILE_MS - 1_000);
  await lutimes(path, before, before);
  expect(await withFileLock(file, async () => 'locked', { signal }, tools)).toBe('locked');
  expect(await readdir(home.folder)).toEqual(['target']);
});

test('a stale folder with a foreign file in it is set aside, and nothing is deleted', async () => {
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

test('a lock with a time in the future would never go stale: it is set aside', async () => {
  const { home, file, path } = await place();
  await using _ = home;
  await mkdir(path);
  await touch(path, -3_600_000);
  expect(await withFileLock(file, async () => 'locked', { signal }, tools)).toBe('locked');
  expect(await readdir(home.folder)).toEqual([]);
});

test("proper-lockfile and this program respect each other's locks", async () => {
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

test('a holder notices that another process has taken over its lock, and leaves that lock alone', async () => {
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

test.each(['linux', 'win32'] as const)(
  'a missing folder is an error, not a lock to wait for (%s)',
  async (platform) => {
    const { home } = await place();
    await using _ = home;
    const nowhere = join(home.folder, 'nowhere', 'file');
    const locked = withFileLock(nowhere, async () => 'locked', { signal }, { ...tools, platform });
    await expect(locked).rejects.toMatchObject({ code: 'ENOENT', syscall: 'mkdir' });
  },
);

test('a file in place of that folder is an error too', async () => {
  const { home, file } = await place();
  await using _ = home;
  await writeFile(file, '');
  const locked = withFileLock(join(file, 'child'), async () => 'locked', { signal }, tools);
  await expect(locked).rejects.toMatchObject({ code: 'ENOTDIR' });
});

describe('the moment of a takeover', () => {
  // A whole second of this time: what the file system keeps is then exact.
  const now = Math.ceil(Date.now() / 1_000) * 1_000;
  const clock = { ...systemClock, now: () => now };
  const at = (path: string, agoMs: number) => utimes(path, new Date(now - agoMs), new Date(now - agoMs));
  const look = (file: string) =>
    withFileLock(file, async () => 'locked', { signal, onTurn: async () => 'held' }, { ...tools, clock });

  test.each([
    ['file', STALE_FILE_MS - 1_000, 'held'],
    ['file', STALE_FILE_MS, 'locked'],
    ['file', -59_000, 'held'],
    ['file', -60_000, 'locked'],
    ['folder', -60_000, 'held'],
    ['folder', -61_000, 'locked'],
  ])('a %s that was touched %d ms ago: %s', async (kind, agoMs, expected) => {
    const { home, file, path } = await place();
    await using _ = home;
    await (kind === 'file' ? writeFile(path, '') : mkdir(path));
    await at(path, agoMs);
    expect(await look(file)).toBe(expected);
    expect(await readdir(home.folder)).toEqual(expected === 'held' ? ['file.lock'] : []);
  });

  test('is the same for all waiters: none fails, and they take the lock one after the other', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    await writeFile(path, '');
    await touch(path, STALE_FILE_MS + 1_000);
    let inside = 0;
    let most = 0;
    const enter = () =>
      withFileLock(
        file,
        async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        },
        { signal },
        tools,
      );
    await Promise.all(Array.from({ length: 5 }, enter));
    expect(most).toBe(1);
    expect(await readdir(home.folder)).toEqual([]);
  });
});

describe('between finding a stale lock and setting it aside', () => {
  /** Something happens when the name is made up under which it is put. */
  const meanwhile = (happens: () => void) => ({
    ...tools,
    random: {
      ...systemRandom,
      bytes: (count: number) => {
        happens();
        return systemRandom.bytes(count);
      },
    },
  });

  test('another process may be faster', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    await writeFile(path, '');
    await touch(path, STALE_FILE_MS + 1_000);
    const deps = meanwhile(() => rmSync(path));
    expect(await withFileLock(file, async () => 'locked', { signal }, deps)).toBe('locked');
    expect(await readdir(home.folder)).toEqual([]);
  });

  test('the folder may become something else, which is an error', async () => {
    const { home } = await place();
    await using _ = home;
    const folder = join(home.folder, 'credentials');
    const file = join(folder, 'file');
    await mkdir(folder);
    await writeFile(`${file}.lock`, '');
    await touch(`${file}.lock`, STALE_FILE_MS + 1_000);
    const deps = meanwhile(() => {
      rmSync(folder, { recursive: true });
      writeFileSync(folder, '');
    });
    await expect(withFileLock(file, async () => 'locked', { signal }, deps)).rejects.toMatchObject({
      code: 'ENOTDIR',
      syscall: 'rename',
    });
  });
});

describe('a wait', () => {
  /** Time passes only while somebody sleeps, and is written down. */
  function patience(fraction: number) {
    const slept: number[] = [];
    const sum = () => slept.reduce((a, b) => a + b, 0);
    const clock = {
      ...systemClock,
      monotonic: sum,
      sleep: async (ms: number) => {
        slept.push(ms);
      },
    };
    return { slept, sum, deps: { ...tools, clock, random: { ...systemRandom, fraction: () => fraction } } };
  }

  test.each([
    [0, 150, [50, 50, 50]],
    [0.5, 300, [150, 150]],
    [1, 301, [250, 250]],
  ])(
    'at %d of the way between the shortest and the longest turn, for %d ms',
    async (fraction, waitMs, turns) => {
      const { home, file, path } = await place();
      await using _ = home;
      await mkdir(path);
      const { slept, deps } = patience(fraction);
      const waited = withFileLock(file, async () => 'locked', { signal, waitMs }, deps);
      await expect(waited).rejects.toMatchObject({
        code: 'lock_timeout',
        message: 'another process has held the credential for too long',
        hint: expect.stringContaining('`status` names it'),
      });
      expect(slept).toEqual(turns);
      expect(await readdir(home.folder)).toEqual(['file.lock']);
    },
  );

  test('ends by itself after half a minute', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    const { sum, deps } = patience(1);
    // Touched in the future, so that it is not stale before the wait is over.
    await mkdir(path);
    await touch(path, -WAIT_MS);
    await expect(withFileLock(file, async () => 'locked', { signal }, deps)).rejects.toMatchObject({
      code: 'lock_timeout',
    });
    expect(sum()).toBe(WAIT_MS);
  });

  test('ends early with a value learned at one of its turns, without the lock', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    await mkdir(path);
    const { slept, deps } = patience(0);
    const onTurn = async () => (slept.length === 2 ? 'learned' : undefined);
    const waited = withFileLock(file, () => Promise.reject(new Error('ran')), { signal, onTurn }, deps);
    expect(await waited).toBe('learned');
    expect(slept).toEqual([50, 50]);
  });

  test('ends with its signal, before the first look and between looks', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    const ended = AbortSignal.abort(new Error('ended before'));
    await expect(withFileLock(file, async () => 'locked', { signal: ended }, tools)).rejects.toThrow(
      'before',
    );
    expect(await readdir(home.folder)).toEqual([]);
    await mkdir(path);
    const ending = new AbortController();
    const onTurn = async () => {
      ending.abort(new Error('ended meanwhile'));
      return undefined;
    };
    const waited = withFileLock(file, async () => 'locked', { signal: ending.signal, onTurn }, tools);
    await expect(waited).rejects.toThrow('ended meanwhile');
  });
});

describe('a lock that is lost while held', () => {
  const holding = <T>(
    file: string,
    run: (guard: LockGuard) => Promise<T>,
    deps: Partial<LockDeps> = {},
  ): Promise<T> => withFileLock(file, run, { signal }, { ...tools, ...deps });

  test('is taken again, and released in the end', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    await holding(file, async (guard) => {
      await rmdir(path);
      expect(guard.lost()).toBe(true);
      await guard.reacquire();
      expect(guard.lost()).toBe(false);
      expect(await readdir(home.folder)).toEqual(['file.lock']);
    });
    expect(await readdir(home.folder)).toEqual([]);
  });

  test('is taken again when its successor is done, and not before', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    await holding(file, async (guard) => {
      await rmdir(path);
      const order: string[] = [];
      let leave = () => {};
      const entered = new Promise<void>((resolve) => {
        const successor = async () => {
          resolve();
          await new Promise<void>((left) => {
            leave = left;
          });
          order.push('successor');
        };
        void holding(file, successor);
      });
      await entered;
      expect(guard.lost()).toBe(true);
      const again = guard.reacquire().then(() => order.push('again'));
      expect(await tryOnce(file)).toBe('held');
      leave();
      await again;
      expect(order).toEqual(['successor', 'again']);
      expect(guard.lost()).toBe(false);
    });
    expect(await readdir(home.folder)).toEqual([]);
  });

  test('is lost after a sleep of the machine, even if nobody has taken it', async () => {
    const { home, file } = await place();
    await using _ = home;
    let ahead = 0;
    const clock = { ...systemClock, now: () => Date.now() + ahead };
    await holding(
      file,
      async (guard) => {
        ahead = 9_000;
        expect(guard.lost()).toBe(false);
        ahead = 11_000;
        expect(guard.lost()).toBe(true);
        await guard.reacquire();
        expect(guard.lost()).toBe(false);
        ahead = 0;
        expect(guard.lost()).toBe(true);
      },
      { clock },
    );
    expect(await readdir(home.folder)).toEqual([]);
  });

  test('is lost when another process has touched it, which the timer notices; it is left to that process', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    await holding(file, async (guard) => {
      await touch(path, 60_000);
      expect(guard.lost()).toBe(false);
      await expect.poll(() => guard.lost(), { timeout: 15_000 }).toBe(true);
    });
    expect(await readdir(home.folder)).toEqual(['file.lock']);
  });

  test('is kept while its holder lives: it is touched every second', async () => {
    const { home, file, path } = await place();
    await using _ = home;
    await holding(file, async (guard) => {
      const before = (await stat(path)).mtimeMs;
      await expect
        .poll(async () => (await stat(path)).mtimeMs, { timeout: 15_000 })
        .toBeGreaterThan(before + 500);
      expect((await stat(path)).mtimeMs - before).toBeLessThan(STALE_MS / 2);
      expect(guard.lost()).toBe(false);
    });
  });

  test.each(['linux', 'win32'] as const)(
    'is distinguished from the next folder of its name by its identity in the file system (%s)',
    async (platform) => {
      const { home, file, path } = await place();
      await using _ = home;
      await holding(
        file,
        async (guard) => {
          const own = (await stat(path)).ino;
          await rmdir(path);
          await mkdir(path);
          // Most file systems use the number of the one that was removed; Windows never does.
          const isSame = (await stat(path)).ino === own;
          expect(guard.lost()).toBe(platform === 'linux' || !isSame);
          await rmdir(path);
          await mkdir(`${path}-other`);
          await mkdir(path);
          await rmdir(`${path}-other`);
          if ((await stat(path)).ino !== own) expect(guard.lost()).toBe(true);
          await rmdir(path);
          expect(guard.lost()).toBe(true);
        },
        { platform },
      );
    },
  );
});

test('failing work releases the lock', async () => {
  const { home, file } = await place();
  await using _ = home;
  await expect(
    withFileLock(file, () => Promise.reject(new Error('failed')), { signal }, tools),
  ).rejects.toThrow('failed');
  expect(await readdir(home.folder)).toEqual([]);
});

test('a file that another program puts into a held lock disturbs neither the work nor the next lock', async () => {
  const { home, file, path } = await place();
  await using _ = home;
  const work = async () => {
    await writeFile(join(path, 'foreign'), 'kept');
    return 'done';
  };
  expect(await withFileLock(file, work, { signal }, tools)).toBe('done');
  expect(await tryOnce(file)).toBe('locked');
  const [aside = '', ...more] = await readdir(home.folder);
  expect(more).toEqual([]);
  expect(aside).toMatch(/^file\.lock\.aside-[\da-f]{12}$/);
  expect(await readdir(join(home.folder, aside))).toEqual(['foreign']);
});

test('a lock that is removed right after its creation is created again', async () => {
  const { home, file, path } = await place();
  await using _ = home;
  const remove = () => {
    try {
      rmdirSync(path);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOENT' });
      setImmediate(remove);
    }
  };
  setImmediate(remove);
  expect(await withFileLock(file, async () => 'locked', { signal }, tools)).toBe('locked');
  await rm(path, { recursive: true, force: true });
});

/** The folder of the kernel in which nobody may make one, root included. */
const FORBIDDEN = '/sys/file';

test.skipIf(!isLinux())(
  'a forbidden creation is an error; Windows reports the same for what is still open',
  async () => {
    const look = (platform: NodeJS.Platform) =>
      withFileLock(
        FORBIDDEN,
        async () => 'locked',
        { signal, onTurn: async () => 'held' },
        { ...tools, platform },
      );
    await expect(look('linux')).rejects.toMatchObject({ code: expect.stringMatching(/^(EPERM|EACCES)$/) });
    expect(await look('win32')).toBe('held');
  },
);
