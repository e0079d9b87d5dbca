import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logout } from '../../../src/commands/logout.ts';
import { statusOf } from '../../../src/commands/status.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { openLeases } from '../../../src/store/lease/lease.ts';
import { type MoveParts, moveToFile, moveToShared } from '../../../src/store/move/move-login.ts';
import { openStore, sealingOf } from '../../../src/store/open-store.ts';
import { readOverview } from '../../../src/store/overview.ts';
import type { FileStore } from '../../../src/store/port/file-store.ts';
import { expiredLogin } from '../../peers/processes/credentials.ts';
import { buildStoreWorker, StoreWorker, type WorkerTask } from '../../peers/processes/store-workers.ts';

const KEY = 'cd'.repeat(32);
const LOGIN = expiredLogin('https://as.example/token', 'R0');
const { signal } = new AbortController();
/** More would only wait for a processor. */
const AT_ONCE = 6;
let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-move-'));
  program = await buildStoreWorker(folder);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A machine's folder, and another one in the place of a store that many machines share: to a move, both are stores. */
async function createWorld(start: 'file' | 'shared') {
  const homes = {
    file: await mkdtemp(join(folder, 'file-')),
    shared: await mkdtemp(join(folder, 'shared-')),
  };
  const open = (home: string) => openStore({ home, logger: silentLogger });
  const [file, shared] = await Promise.all([open(homes.file), open(homes.shared)]);
  await (start === 'file' ? file : shared).write(KEY, LOGIN, null);
  const parts: MoveParts = {
    key: KEY,
    identity: { server: LOGIN.server },
    file: { store: file, sealing: sealingOf(file.folder) },
    shared,
    sharedAt: { to: 'rediss://store.example', prefix: 'mcp-drawbridge' },
    force: false,
    signal,
  };
  return { homes, file, shared, parts };
}

async function refreshToken(store: FileStore): Promise<string | undefined> {
  const found = await store.read(KEY).catch((error: { code?: string }) => {
    if (error.code === 'store_moved') return { kind: 'moved' } as const;
    throw error;
  });
  return found.kind === 'record' ? found.record.tokens?.refreshToken : undefined;
}

test('a moved login works there, and the folder says so instead of asking for a sign-in', async () => {
  const { file, shared, parts } = await createWorld('file');
  await moveToShared(parts);
  expect(await refreshToken(shared)).toBe('R0');
  await expect(file.read(KEY)).rejects.toMatchObject({
    code: 'store_moved',
    message: expect.stringContaining('rediss://store.example'),
    hint: expect.stringContaining('--to file'),
  });
  const [status] = statusOf(
    await readOverview(file.folder, openLeases(file.folder), Date.now()),
    Date.now(),
    {},
  );
  expect(status).toMatchObject({ server: LOGIN.server, state: 'moved', store: 'rediss://store.example' });
  expect((await readdir(file.folder)).filter((name) => !name.endsWith('.moved'))).toEqual([]);

  await moveToFile(parts);
  expect(await refreshToken(file)).toBe('R0');
  expect(await refreshToken(shared)).toBeUndefined();
  expect(await readdir(file.folder)).toEqual([`${KEY}.json`]);
});

test('a login refreshed there can be moved back', async () => {
  const { file, shared, parts } = await createWorld('file');
  await moveToShared(parts);
  const there = await shared.read(KEY);
  if (there.kind !== 'record') throw new Error(there.kind);
  const { tokens } = there.record;
  if (tokens === undefined) throw new Error('no tokens');
  const next = { ...there.record, tokens: { ...tokens, refreshToken: 'R1' } };
  await shared.write(KEY, next, there.record);
  await moveToFile(parts);
  expect(await refreshToken(file)).toBe('R1');
});

test('a login that is already there stays, unless it is to be replaced', async () => {
  const { file, shared, parts } = await createWorld('file');
  await shared.write(KEY, { ...LOGIN, family: 'other' }, null);
  await expect(moveToShared(parts)).rejects.toMatchObject({ hint: expect.stringContaining('--force') });
  expect(await refreshToken(file)).toBe('R0');
  await moveToShared({ ...parts, force: true });
  expect(await shared.read(KEY)).toMatchObject({ record: { family: LOGIN.family } });
});

test('nothing to move, in either direction', async () => {
  const { file, parts } = await createWorld('file');
  expect(await moveToFile(parts)).toMatchObject({ family: LOGIN.family });
  await moveToShared(parts);
  expect(await moveToShared(parts)).toMatchObject({ family: LOGIN.family });
  await moveToFile(parts);
  await file.remove(KEY);
  await expect(moveToFile(parts)).rejects.toThrow(/no login for .* in the store/);
  await expect(moveToShared(parts)).rejects.toThrow(/no login for .* on this machine/);
});

test('a login that is being refreshed is not moved', async () => {
  const { file, parts } = await createWorld('file');
  const { tokenHash } = await import('../../../src/store/record/key.ts');
  const claim = await file.withLock(KEY, (locked) => locked.reserve(tokenHash('R0'), 1), { signal });
  await expect(moveToShared(parts)).rejects.toThrow(/being refreshed/);
  await claim?.release();
  await moveToShared(parts);
});

test('an unreachable store leaves everything as it was', async () => {
  const { file, parts } = await createWorld('file');
  const { StoreAwayError } = await import('../../../src/store/files/store-errors.ts');
  const away = async () => {
    throw new StoreAwayError('away', { applied: 'no' });
  };
  const { shared } = parts;
  await expect(
    moveToShared({ ...parts, shared: { ...shared, writable: true, place: '', read: away, withLock: away } }),
  ).rejects.toThrow('away');
  const late = {
    writable: true,
    place: '',
    read: shared.read.bind(shared),
    withLock: away,
    write: away,
    remove: away,
  };
  await expect(moveToShared({ ...parts, shared: late })).rejects.toThrow('away');
  expect(await refreshToken(file)).toBe('R0');
  expect(await readdir(file.folder)).toEqual([`${KEY}.json`]);
});

test('logout in the folder removes the note, and says where the login is', async () => {
  const { file, shared, parts } = await createWorld('file');
  await moveToShared(parts);
  const said: string[] = [];
  const logger = { ...silentLogger, inform: (text: string) => void said.push(text) };
  const isClean = await logout({
    store: file,
    keys: [KEY],
    others: async () => [],
    revoke: async () => ({ kind: 'revoked' }),
    logger,
    signal,
  });
  expect(isClean).toBe(false);
  expect(said.join()).toContain('rediss://store.example');
  expect(await file.read(KEY)).toEqual({ kind: 'absent' });
  expect(await refreshToken(shared)).toBe('R0');
});

describe('a move that is killed at any system call', () => {
  test.each([
    ['there', 'file', false],
    ['back', 'shared', true],
  ] as const)(
    '%s: no login is lost, and none exists twice',
    async (_, start, back) => {
      let halfMoved = 0;
      let isOver = false;
      /** Kills one at this call, and runs the move again. */
      const killed = async (killAt: number) => {
        const { homes, file, shared, parts } = await createWorld(start);
        const task: WorkerTask = {
          do: 'move',
          home: homes.file,
          shared: homes.shared,
          key: KEY,
          server: LOGIN.server,
          back,
        };
        using mortal = await StoreWorker.start(program);
        const end = await mortal.run({ ...task, killAt });
        const copies = [await refreshToken(file), await refreshToken(shared)].filter(
          (each) => each !== undefined,
        );
        expect(copies.length, `killed at ${killAt}`).toBeLessThanOrEqual(1);
        if (copies.length === 0) halfMoved++;
        if ('moved' in end) isOver = true;
        else expect(end, JSON.stringify(end)).toMatchObject({ signal: 'SIGKILL' });
        // The locks of a process that was killed: another would wait for seconds until they count as left behind.
        for (const store of [file, shared])
          for (const name of await readdir(store.folder)) {
            if (name.endsWith('.lock')) await rm(join(store.folder, name), { recursive: true });
          }
        await (back ? moveToFile(parts) : moveToShared(parts));
        const [source, target] = back ? [shared, file] : [file, shared];
        expect(await refreshToken(target), `after a kill at ${killAt}`).toBe('R0');
        expect(await refreshToken(source), `after a kill at ${killAt}`).toBeUndefined();
      };
      for (let killAt = 1; !isOver; killAt += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, (_, more) => killed(killAt + more)));
      expect(halfMoved).toBeGreaterThan(0);
    },
    60_000,
  );
});
