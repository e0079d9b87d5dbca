import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keyFileIn } from '../../../../src/store/system-keychain.ts';

let home: string;
let folder: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'drawbridge-test-'));
  folder = join(home, 'credentials');
  await mkdir(folder);
});
afterEach(() => rm(home, { recursive: true }));

it('keeps a text in a file that only this user can read, and removes it', async () => {
  const file = keyFileIn(folder);
  expect(await file.read('a1b2c3d4')).toBeUndefined();
  expect(await file.remove('a1b2c3d4')).toBe(false);
  await file.write('a1b2c3d4', 'AQAAANCMnd8=');
  expect(await file.read('a1b2c3d4')).toBe('AQAAANCMnd8=');
  expect(await readdir(folder)).toEqual(['keychain-a1b2c3d4.dpapi']);
  expect((await stat(join(folder, 'keychain-a1b2c3d4.dpapi'))).mode & 0o777).toBe(0o600);
  expect(await file.read('other')).toBeUndefined();
  expect(await file.remove('a1b2c3d4')).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});

it('does not follow a link', async () => {
  const elsewhere = join(folder, 'elsewhere');
  await writeFile(elsewhere, 'AQAAANCMnd8=');
  await chmod(elsewhere, 0o600);
  await symlink(elsewhere, join(folder, 'keychain-a1b2c3d4.dpapi'));
  await expect(keyFileIn(folder).read('a1b2c3d4')).rejects.toMatchObject({ code: 'store' });
});
