import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRuntimeFolder } from '../../../src/store/files/runtime-folder.ts';
import { createSmallDisk } from '../../peers/faults/small-disk.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { StormWorld } from '../../storm/world.ts';

/** A login on a disk of its own, its refresh due and its access token in force. */
async function dueForRefresh() {
  const world = await StormWorld.create();
  const disk = await createSmallDisk(world.home.state);
  const login = await world.signIn();
  const { version, revision, ...record } = login;
  const [obtainedAt, expiresAt] = [Date.now() - 3_600_000, Date.now() + 60_000];
  const tokens = { ...(login.tokens as NonNullable<typeof login.tokens>), obtainedAt, expiresAt };
  await world.store.write(world.key(), { ...record, tokens }, 'any');
  const env = { ...world.home.env({ BROWSER: world.browser.command }), ...disk.env };
  const run = (...argv: string[]) => runProgram(argv, env);
  return { world, disk, login, run };
}

test('a full disk: detected before the refresh token is sent, reported when it matters, and recovered by itself', async () => {
  const { world, disk, login, run } = await dueForRefresh();
  await using _world = world;
  await using _disk = disk;
  const bridge = world.start({ env: disk.env });
  await disk.fill();
  expect(await bridge.call()).toMatchObject({ kind: 'served' });
  await world.lapse('default', login, false);
  const failed = await bridge.call();
  expect(failed).toMatchObject({ kind: 'failed', why: expect.stringContaining('ENOSPC') });
  expect(failed).toMatchObject({ why: expect.stringContaining('Make room') });
  // Room for lock and claim, and none for the answer.
  await disk.free();
  await disk.fill(64);
  expect(await bridge.call()).toMatchObject({ kind: 'failed', why: expect.stringContaining('ENOSPC') });
  await disk.fill();
  const other = await run('login', world.server.url, '--profile', 'other');
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('ENOSPC');
  expect(world.authority.counters).toMatchObject({ refreshPosts: 0, registrations: 1 });
  expect(world.browser.opened).toHaveLength(0);
  await disk.free();
  expect(await bridge.call()).toMatchObject({ kind: 'served' });
  expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0, codeExchanges: 1 });
  expect(await world.corruptRecords()).toBe(0);
});

test('a disk that has become read-only: served all the same, with one warning; commands say what they cannot do', async () => {
  const { world, disk, login, run } = await dueForRefresh();
  await using _world = world;
  await using _disk = disk;
  const { url } = world.server;
  const path = join(world.credentials, `${world.key()}.json`);
  const before = await readFile(path, 'utf8');
  await disk.makeReadOnly();
  const shown = await run('status', '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject([{ server: url, state: 'signed in' }]);
  const bridge = world.start({ env: disk.env });
  await world.lapse('default', login, false);
  expect(await bridge.call()).toMatchObject({ kind: 'served' });
  expect(await bridge.call()).toMatchObject({ kind: 'served' });
  expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0 });
  expect(bridge.host.stderr.match(/read-only/g)).toHaveLength(1);
  const signIn = await run('login', url, '--profile', 'other');
  expect(signIn).toMatchObject({ code: 1, stdout: '' });
  expect(signIn.stderr).toContain('cannot be saved');
  const out = await run('logout', url);
  expect(out.code).toBe(1);
  expect(out.stderr).toContain(`still in ${world.credentials}`);
  expect(world.browser.opened).toHaveLength(0);
  expect(await readFile(path, 'utf8')).toBe(before);
  await forgetRuntime(world);
});

test('a read-only store and a rotating login: its processes use each refresh token once', async () => {
  const { world, disk, login } = await dueForRefresh();
  await using _world = world;
  await using _disk = disk;
  await disk.makeReadOnly();
  const start = () => world.start({ env: disk.env });
  const bridges = [start(), start(), start(), start()];
  await world.lapse('default', login, false);
  const callAll = async () =>
    (await Promise.all(bridges.map((bridge) => bridge.call()))).map(({ kind }) => kind);
  expect(await callAll()).toEqual(Array(4).fill('served'));
  expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0 });
  world.authority.tokens.revokeAll();
  expect(await callAll()).toEqual(Array(4).fill('served'));
  // One that starts only now finds the spent token on the disk.
  expect(await start().call()).toMatchObject({ kind: 'served' });
  expect(world.authority.counters).toMatchObject({ refreshPosts: 2, replays: 0, codeExchanges: 1 });
  expect(world.browser.opened).toHaveLength(0);
  const runtime = await forgetRuntime(world);
  expect(runtime).toEqual([expect.stringMatching(/\.json$/)]);
});

/** What was kept elsewhere; it goes with the test. */
async function forgetRuntime(world: StormWorld): Promise<string[]> {
  const folder = await findRuntimeFolder(world.home.state);
  if (folder === undefined) throw new Error('no place to keep anything');
  const names = await readdir(folder);
  await rm(folder, { recursive: true });
  return names;
}
