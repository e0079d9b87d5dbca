import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { otherStore, type StorePaths, storePaths } from '../../../src/store/files/paths.ts';
import { holdsLogins, leavePointer, readPointer } from '../../../src/store/files/pointer.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { asRoot, hasRoot, isLinux } from '../../peers/processes/tools.ts';

let home: TemporaryHome;
/** The system's place for data, and one that XDG_DATA_HOME names. */
let usual: string;
let named: string;
const HOME = process.env.HOME;

beforeEach(async () => {
  home = await createTemporaryHome();
  usual = join(home.folder, '.local', 'share', 'mcp-drawbridge');
  named = join(home.folder, 'data', 'mcp-drawbridge');
  for (const folder of [usual, named]) await mkdir(folder, { recursive: true, mode: 0o700 });
  process.env.HOME = home.folder;
});
afterEach(async () => {
  process.env.HOME = HOME;
  delete process.env.XDG_DATA_HOME;
  await home.close();
});

async function addLogin(folder: string): Promise<void> {
  await mkdir(join(folder, 'credentials'), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'credentials', `${'0'.repeat(64)}.json`), '{}', { mode: 0o600 });
}

const point = (text: string) => writeFile(join(usual, 'pointer.json'), text, { mode: 0o600 });
const pointTo = (folder: string) => point(JSON.stringify({ folder }));
const seen = (env: Record<string, string> = {}): Partial<StorePaths> => {
  const { home: folder, because } = storePaths(undefined, env);
  return { home: folder, because };
};

test.skipIf(!isLinux())(
  'a program with XDG_DATA_HOME leaves a pointer, and one without it finds the same folder',
  async () => {
    expect(homedir()).toBe(home.folder);
    expect(seen()).toEqual({ home: usual, because: 'usual' });
    process.env.XDG_DATA_HOME = join(home.folder, 'data');
    expect((await openStore({ home: undefined, logger: silentLogger })).folder).toBe(
      join(named, 'credentials'),
    );
    delete process.env.XDG_DATA_HOME;
    expect(JSON.parse(await readFile(join(usual, 'pointer.json'), 'utf8'))).toEqual({ folder: named });
    expect(seen()).toEqual({ home: named, because: 'pointer' });
    expect((await openStore({ home: undefined, logger: silentLogger })).folder).toBe(
      join(named, 'credentials'),
    );
  },
);

test.skipIf(!isLinux())(
  'a folder given by an option leaves none, and neither does a store in memory',
  async () => {
    await openStore({ home: join(home.folder, 'other'), logger: silentLogger });
    process.env.XDG_DATA_HOME = join(home.folder, 'data');
    await openStore({ home: undefined, memory: true, logger: silentLogger });
    expect(readPointer(usual)).toBeUndefined();
  },
);

test.skipIf(!isLinux())(
  'logins in the usual folder stay in use, and those elsewhere are reported',
  async () => {
    await pointTo(named);
    await addLogin(usual);
    expect(seen()).toEqual({ home: usual, because: 'usual' });
    expect(otherStore(storePaths(undefined, {}))).toBeUndefined();
    await addLogin(named);
    expect(otherStore(storePaths(undefined, {}))).toBe(named);
    const xdg = storePaths(undefined, { XDG_DATA_HOME: join(home.folder, 'data') });
    expect(xdg).toMatchObject({ home: named, because: 'xdg' });
    expect(otherStore(xdg)).toBe(usual);
    expect(otherStore(storePaths(usual, {}))).toBeUndefined();
  },
);

test.skipIf(!isLinux())(
  'a pointer stays while it leads to logins, and is replaced when it leads to none',
  async () => {
    const third = join(home.folder, 'third');
    await mkdir(third, { mode: 0o700 });
    await leavePointer(usual, named);
    await addLogin(named);
    await leavePointer(usual, third);
    expect(readPointer(usual)).toBe(named);
    await rm(join(named, 'credentials'), { recursive: true });
    await leavePointer(usual, third);
    expect(readPointer(usual)).toBe(third);
  },
);

test.skipIf(!isLinux())(
  'XDG_DATA_HOME that is relative, empty or the usual place names no other folder',
  () => {
    for (const XDG_DATA_HOME of ['', 'data', './data', join(home.folder, '.local', 'share')]) {
      expect(seen({ XDG_DATA_HOME })).toEqual({ home: usual, because: 'usual' });
    }
  },
);

test.skipIf(!isLinux())('no pointer leads to a short-lived or sandboxed folder', async () => {
  const lasting = '/home/ada/.local/share/mcp-drawbridge';
  for (const folder of [
    named,
    '/home/ada/snap/code/161/.local/share/x',
    '/home/ada/.var/app/com.x/data/x',
    '/run/user/1/x',
  ]) {
    await leavePointer(lasting, folder);
    expect(readPointer(lasting)).toBeUndefined();
  }
});

test.skipIf(!isLinux()).each<[string, () => Promise<void>]>([
  ['a folder that has gone', () => rm(named, { recursive: true })],
  ['no JSON', () => point('{')],
  ['no path', () => point('{"folder":7}')],
  ['a relative path', () => point('{"folder":"data"}')],
  ['a path with dots', () => point(JSON.stringify({ folder: `${usual}/../../../data/mcp-drawbridge` }))],
  ['itself', () => pointTo(usual)],
  ['a file', () => pointTo(join(usual, 'pointer.json'))],
  ['more than a path', () => point(JSON.stringify({ folder: named }) + ' '.repeat(40_000))],
  ['a file that others can write', () => chmod(join(usual, 'pointer.json'), 0o666)],
  ['a folder that others can write', () => chmod(named, 0o777)],
  ['a usual folder that others can write', () => chmod(usual, 0o777)],
  [
    'a link in place of the pointer',
    async () => {
      await rename(join(usual, 'pointer.json'), join(home.folder, 'p'));
      await symlink(join(home.folder, 'p'), join(usual, 'pointer.json'));
    },
  ],
  [
    'a link to the folder',
    async () => {
      await rename(named, `${named}~`);
      await symlink(`${named}~`, named);
    },
  ],
])('a pointer is ignored: %s', async (_, spoil) => {
  await pointTo(named);
  expect(seen()).toEqual({ home: named, because: 'pointer' });
  await spoil();
  expect(seen()).toEqual({ home: usual, because: 'usual' });
});

test.skipIf(!hasRoot())(
  "another user's pointer, or one to another user's folder, is ignored (SECURITY.md, attack 44)",
  async () => {
    await pointTo(named);
    for (const path of [join(usual, 'pointer.json'), named]) {
      asRoot('chown', '65534', path);
      expect(readPointer(usual)).toBeUndefined();
      asRoot('chown', String(process.getuid?.()), path);
      expect(readPointer(usual)).toBe(named);
    }
  },
);

test('only records count as logins', async () => {
  await mkdir(join(named, 'credentials'), { recursive: true });
  await writeFile(join(named, 'credentials', `${'0'.repeat(64)}.sign-in.json`), '');
  expect(holdsLogins(named)).toBe(false);
  await addLogin(named);
  expect(holdsLogins(named)).toBe(true);
});
