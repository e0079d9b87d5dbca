import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logout } from '../../../src/commands/logout.ts';
import { statusOf } from '../../../src/commands/status.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { openLeases } from '../../../src/store/lease/lease.ts';
import { type MoveParts, moveToFile, moveToShared } from '../../../src/store/move/move-login.ts';
import type { Shared } from '../../../src/store/open-shared.ts';
import { openStore, sealingOf } from '../../../src/store/open-store.ts';
import { readOverview } from '../../../src/store/overview.ts';
import type { Store } from '../../../src/store/port/store.ts';
import { expiredLogin } from '../../peers/processes/credentials.ts';
import { openTestStore } from '../../peers/processes/redis-store.ts';
import { buildStoreWorker, StoreWorker, type WorkerTask } from '../../peers/processes/store-workers.ts';
import { hasRedis } from '../../peers/processes/tools.ts';
import { RedisServer } from '../../peers/redis/redis-server.ts';

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
  if (hasRedis()) redis = await RedisServer.start();
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

let redis: RedisServer | undefined;
const shareds: Shared[] = [];
afterEach(async () => {
  for (const shared of shareds.splice(0)) await shared.close();
});

/** A machine's folder, and another one in the place of a store that many machines share, or a store on Redis: to a move, all are stores. */
async function createWorld(start: 'file' | 'shared', engine?: RedisServer) {
  const homes = {
    file: await mkdtemp(join(folder, 'file-')),
    shared: await mkdtemp(join(folder, 'shared-')),
  };
  const open = (home: string) => openStore({ home, logger: silentLogger });
  const file = await open(homes.file);
  const onEngine = engine && (await openTestStore(engine.url, homes.file));
  if (onEngine !== undefined) shareds.push(onEngine);
  const shared: Store = onEngine?.store ?? (await open(homes.shared));
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

async function refreshToken(store: Store): Promise<string | undefined> {
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
  const reservation = await file.withLock(KEY, (locked) => locked.reserve(tokenHash('R0'), 1), { signal });
  await expect(moveToShared(parts)).rejects.toThrow(/being refreshed/);
  await reservation?.release();
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

const WAYS = [
  ['there', 'file', false],
  ['back', 'shared', true],
] as const;

describe('a move that is killed at any system call', () => {
  test.each(WAYS)(
    '%s: no login is lost, and none exists twice',
    (_, start, back) => killedAtEachCall(start, back),
    60_000,
  );

  test.skipIf(!hasRedis()).each(WAYS)(
    '%s, with a store on Redis: no login is lost, and none exists twice',
    (_, start, back) => killedAtEachCall(start, back, redis),
    60_000,
  );
});

test.each(WAYS)(
  '%s: what no replica has is held back, and the next move goes on with it',
  async (_, start, back) => {
    const { file, shared, parts } = await createWorld(start);
    const move = back ? moveToFile : moveToShared;
    let isSettled = false;
    const unsettled: Store = {
      writable: true,
      place: shared.place,
      read: (...asked) => shared.read(...asked),
      write: (...written) => shared.write(...written),
      remove: (key) => shared.remove(key),
      withLock: (key, run, options) =>
        shared.withLock(key, (locked) => run({ ...locked, settled: async () => isSettled }), options),
    };
    for (let attempt = 1; attempt <= 2; attempt++) {
      await expect(move({ ...parts, shared: unsettled })).rejects.toMatchObject({ code: 'store_away' });
      // A failover may lose what the store has, or bring back what was removed there: the folder keeps a copy that nobody uses.
      expect(await readdir(file.folder)).toContain(`${KEY}.moving`);
      await expect(file.read(KEY)).rejects.toMatchObject({ code: 'store_moved' });
    }
    isSettled = true;
    await move({ ...parts, shared: unsettled });
    const [source, target] = back ? [shared, file] : [file, shared];
    expect(await refreshToken(target)).toBe('R0');
    expect(await refreshToken(source)).toBeUndefined();
    expect((await readdir(file.folder)).filter((name) => name.endsWith('.moving'))).toEqual([]);
  },
);

test.skipIf(!hasRedis())('a move waits for a replica that does not answer', async () => {
  await using primary = await RedisServer.start();
  await using replica = await RedisServer.start();
  await replica.replicate(primary.port);
  const { file, shared, parts } = await createWorld('file', primary);
  replica.process.suspend();
  let hasEnded = false;
  const moving = moveToShared(parts).finally(() => {
    hasEnded = true;
  });
  await expect.poll(() => refreshToken(shared), { timeout: 10_000 }).toBe('R0');
  await primary.call('WAIT', '1', '600');
  expect(hasEnded).toBe(false);
  expect(await readdir(file.folder)).toContain(`${KEY}.moving`);
  replica.process.resume();
  await moving;
  expect(await readdir(file.folder)).not.toContain(`${KEY}.moving`);
});

async function killedAtEachCall(
  start: 'file' | 'shared',
  back: boolean,
  engine?: RedisServer,
): Promise<void> {
  let halfMoved = 0;
  let isOver = false;
  /** Kills one at this call, and runs the move again. */
  const killed = async (killAt: number) => {
    const { homes, file, shared, parts } = await createWorld(start, engine);
    const task: WorkerTask = {
      do: 'move',
      home: homes.file,
      shared: engine?.url ?? homes.shared,
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
    for (const place of engine === undefined ? [file.folder, shared.place] : [file.folder])
      for (const name of await readdir(place)) {
        if (name.endsWith('.lock')) await rm(join(place, name), { recursive: true });
      }
    await (back ? moveToFile(parts) : moveToShared(parts));
    const [source, target] = back ? [shared, file] : [file, shared];
    expect(await refreshToken(target), `after a kill at ${killAt}`).toBe('R0');
    expect(await refreshToken(source), `after a kill at ${killAt}`).toBeUndefined();
  };
  for (let killAt = 1; !isOver; killAt += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, more) => killed(killAt + more)));
  expect(halfMoved).toBeGreaterThan(0);
}
