import { chmod, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import { currentOwner } from '../../../src/platform/process/process-identity.ts';
import { readOwnFile } from '../../../src/store/files/atomic-file.ts';
import { openLeases } from '../../../src/store/lease/lease.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { FileStore } from '../../../src/store/port/file-store.ts';
import type { LockedRecord } from '../../../src/store/port/store.ts';
import { serializeRecord } from '../../../src/store/record/record-schema.ts';
import { readCachedServer, writeCachedServer } from '../../../src/store/server-cache/file.ts';
import { ServerCacheFile } from '../../../src/store/server-cache/server-cache.ts';
import { expiredLogin, wholeRecord } from '../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';
import { asRoot, hasRoot } from '../../peers/processes/tools.ts';

const KEY = 'ab'.repeat(32);
const signal = new AbortController().signal;
const login = expiredLogin('https://as.example/token', 'R0');
const identity = { server: login.server };

const open = (home: TemporaryHome, logger: Logger = silentLogger) => openStore({ home: home.state, logger });
const recordPath = (store: FileStore) => join(store.folder, `${KEY}.json`);
const modeOf = async (path: string) => (await lstat(path)).mode & 0o777;

test('a record is read by any process that opens the same folder', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  expect(await store.read(KEY)).toEqual({ kind: 'absent' });
  const written = await store.write(KEY, login, null);
  expect(written).toMatchObject({ kind: 'written', record: { ...login, version: 1, revision: 1 } });
  expect(await (await open(home)).read(KEY, identity)).toMatchObject({
    kind: 'record',
    record: { revision: 1 },
  });
  await store.remove(KEY);
  expect(await store.read(KEY)).toEqual({ kind: 'absent' });
});

test('a write succeeds only if the record has not changed since it was read', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  await store.write(KEY, login, null);
  expect(await store.write(KEY, login, null)).toEqual({ kind: 'superseded' });
  const first = { revision: 1, family: login.family };
  expect(await store.write(KEY, login, first)).toMatchObject({ record: { revision: 2 } });
  expect(await store.write(KEY, login, first)).toEqual({ kind: 'superseded' });
  expect(await store.write(KEY, { ...login, family: 'g' }, 'any')).toMatchObject({ record: { revision: 3 } });
  await store.remove(KEY);
  expect(await store.write(KEY, login, { revision: 3, family: 'g' })).toEqual({ kind: 'superseded' });
  expect(await store.read(KEY)).toEqual({ kind: 'absent' });
});

test.each([0o000, 0o022])('folders are 0700 and files 0600 under umask %o', async (umask) => {
  // The umask belongs to the process; nothing else runs in this worker meanwhile.
  await using home = await TemporaryHome.create();
  const before = process.umask(umask);
  try {
    const store = await open(home);
    await store.write(KEY, login, null);
    expect(await modeOf(home.state)).toBe(0o700);
    expect(await modeOf(store.folder)).toBe(0o700);
    expect(await modeOf(recordPath(store))).toBe(0o600);
  } finally {
    process.umask(before);
  }
});

test.each([0o755, 0o750, 0o1777])(
  'an existing folder keeps its mode %o; what is created in it is private',
  async (mode) => {
    await using home = await TemporaryHome.create();
    await mkdir(home.state);
    await chmod(home.state, mode);
    const store = await open(home);
    await store.write(KEY, login, null);
    expect((await lstat(home.state)).mode & 0o7777).toBe(mode);
    expect(await modeOf(store.folder)).toBe(0o700);
    expect(await modeOf(recordPath(store))).toBe(0o600);
  },
);

test.each([
  ['a home', 0o777, ''],
  ['a home', 0o770, ''],
  ['a folder in it', 0o702, 'credentials'],
])('%s that others can write to (%o) is refused, and left as it is', async (_, mode, name) => {
  await using home = await TemporaryHome.create();
  const folder = join(home.state, name);
  await mkdir(folder, { recursive: true });
  await chmod(folder, mode);
  await expect(open(home)).rejects.toMatchObject({
    code: 'store_insecure',
    message: expect.stringContaining('can be written to by other users'),
    hint: expect.stringContaining(`chmod go-w ${folder}`),
  });
  expect(await modeOf(folder)).toBe(mode);
  expect(await readdir(folder)).toEqual([]);
});

test('a folder that is a link is refused', async () => {
  await using home = await TemporaryHome.create();
  await mkdir(join(home.folder, 'elsewhere'));
  await symlink(join(home.folder, 'elsewhere'), home.state);
  await expect(open(home)).rejects.toMatchObject({ code: 'store_insecure' });
  await rm(home.state);
  await mkdir(home.state);
  await symlink(join(home.folder, 'elsewhere'), join(home.state, 'credentials'));
  await expect(open(home)).rejects.toMatchObject({ code: 'store_insecure' });
});

test.skipIf(!hasRoot())('a folder of another user is refused', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  asRoot('chown', '65534:65534', store.folder);
  await expect(open(home)).rejects.toMatchObject({ code: 'store_insecure' });
  asRoot('chown', `${process.getuid?.()}`, store.folder);
});

test.skipIf(!hasRoot())(
  'files of another user are not read: record, response, reservation, lease',
  async () => {
    await using home = await TemporaryHome.create();
    const store = await open(home);
    const planted = async (name: string, bytes: Uint8Array | string): Promise<string> => {
      const path = join(store.folder, name);
      await writeFile(path, bytes, { mode: 0o644 });
      asRoot('chown', '65534:65534', path);
      return path;
    };
    const record = { ...wholeRecord, server: identity.server };
    const path = await planted(`${KEY}.json`, serializeRecord(record));
    expect(await readOwnFile(path, 1e6)).toEqual({ kind: 'refused', reason: 'belongs to another user' });
    expect(await store.read(KEY, identity)).toMatchObject({ kind: 'corrupt' });
    expect(await store.read(KEY, identity)).toEqual({ kind: 'absent' });

    await planted(`${KEY}.hash.1.answer`, serializeRecord(record));
    await planted(`${KEY}.hash.1.claim`, JSON.stringify({ nonce: 'n', owner: await currentOwner() }));
    const reservations = await store.withLock(KEY, (held) => held.reservations('hash'), { signal });
    expect(reservations).toMatchObject([{ owner: 'unknown', request: { kind: 'maybe' } }]);

    const owned = JSON.stringify({ nonce: 'ab'.repeat(16), owner: await currentOwner(), deadline: 1e15 });
    await planted(`${KEY}.lease`, owned);
    expect(await openLeases(store.folder).holder(KEY, Date.now())).toBeUndefined();
  },
);

test('a record that is a link is set aside unread, and its target is left as it is', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  const target = join(home.folder, 'target');
  await writeFile(target, serializeRecord({ ...wholeRecord, server: identity.server }));
  const before = await readFile(target);
  await symlink(target, recordPath(store));
  const read = await store.read(KEY, identity);
  expect(read).toMatchObject({ kind: 'corrupt' });
  expect(await store.write(KEY, login, null)).toMatchObject({ kind: 'written' });
  expect(await readFile(target)).toEqual(before);
  expect((await lstat(recordPath(store))).isFile()).toBe(true);
});

test('a link planted where the record will be written is replaced, not followed', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  const target = join(home.folder, 'target');
  await writeFile(target, 'untouched');
  await symlink(target, recordPath(store));
  expect(await store.write(KEY, login, 'any')).toMatchObject({ kind: 'written' });
  expect(await readFile(target, 'utf8')).toBe('untouched');
});

test('a truncated record is set aside unchanged under another name, and the next login is written', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  const whole = serializeRecord(wholeRecord);
  for (const length of [0, 1, Math.floor(whole.length / 2), whole.length - 2]) {
    await writeFile(recordPath(store), whole.subarray(0, length), { mode: 0o600 });
    const read = await store.read(KEY);
    if (read.kind !== 'corrupt') throw new Error(`read as ${read.kind} at ${length} bytes`);
    expect(await readFile(read.setAside)).toEqual(whole.subarray(0, length));
    expect(await store.read(KEY)).toEqual({ kind: 'absent' });
  }
  expect(await store.write(KEY, login, null)).toMatchObject({ kind: 'written' });
});

test("the newest three set-aside files are kept; a removal deletes them, and no one else's", async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  const other = `${'cd'.repeat(32)}.corrupt-0123456789ab`;
  await writeFile(join(store.folder, other), 'x', { mode: 0o600 });
  // As another version left it: more than are kept.
  for (let n = 0; n < 5; n++) await writeFile(join(store.folder, `${KEY}.corrupt-${n}`), 'x');
  const names: string[] = [];
  for (let n = 0; n < 4; n++) {
    await writeFile(recordPath(store), serializeRecord({ ...wholeRecord, family: `f${n}` }), { mode: 0o600 });
    const read = await store.read(KEY, identity);
    if (read.kind !== 'corrupt') throw new Error(read.kind);
    names.push(basename(read.setAside));
  }
  expect((await readdir(store.folder)).sort()).toEqual([...names.slice(-3), other].sort());
  const found = await store.withLock(KEY, (held) => held.setAside(), { signal });
  expect(found).toMatchObject({ files: 3, records: [{ family: 'f3' }, { family: 'f2' }, { family: 'f1' }] });
  await store.remove(KEY);
  expect(await readdir(store.folder)).toEqual([other]);
});

test("another server's record under this name is set aside", async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  await store.write(KEY, login, null);
  expect(await store.read(KEY, { server: 'https://evil.example/' })).toMatchObject({ kind: 'corrupt' });
  await store.write(KEY, { ...login, resource: 'https://a.example' }, null);
  expect(await store.read(KEY, { ...identity, resource: 'https://b.example' })).toMatchObject({
    kind: 'corrupt',
  });
});

test("a later version's record is neither read nor replaced", async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  await writeFile(recordPath(store), '{"version":2}', { mode: 0o600 });
  await expect(store.read(KEY)).rejects.toMatchObject({ code: 'store' });
  await expect(store.write(KEY, login, 'any')).rejects.toMatchObject({ code: 'store' });
  expect(await readFile(recordPath(store), 'utf8')).toBe('{"version":2}');
});

test('waits for a held lock; news learned meanwhile ends the wait', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  const order: string[] = [];
  await store.withLock(
    KEY,
    async () => {
      const early = store.withLock<string>(KEY, async () => 'locked', {
        signal,
        onTurn: async () => 'adopted',
      });
      expect(await early).toBe('adopted');
      const stopped = new AbortController();
      const waiting = store.withLock(KEY, async () => 'locked', { signal: stopped.signal });
      stopped.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      order.push('first');
    },
    { signal },
  );
  await store.withLock(KEY, async () => void order.push('second'), { signal });
  expect(order).toEqual(['first', 'second']);
  expect(await readdir(store.folder)).toEqual([]);
});

test('callers in one process and in another take turns, and lose no update', async () => {
  await using home = await TemporaryHome.create();
  const stores = [await open(home), await open(home), await open(home)];
  await stores[0]?.write(KEY, login, null);
  const bump = (store: FileStore) =>
    store.withLock(
      KEY,
      async (held) => {
        const read = await held.read();
        if (read.kind !== 'record') throw new Error('no record');
        const { version, revision, ...rest } = read.record;
        return held.write(rest, read.record);
      },
      { signal },
    );
  const results = await Promise.all([...stores, ...stores, ...stores].map(bump));
  expect(results.every(({ kind }) => kind === 'written')).toBe(true);
  expect(await stores[0]?.read(KEY)).toMatchObject({ record: { revision: 10 } });
});

test('after a sleep of the machine the lock counts as lost, and is taken again before a write', async () => {
  await using home = await TemporaryHome.create();
  let ahead = 0;
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  const store = await openStore({ home: home.state, logger: silentLogger, clock });
  const result = await store.withLock(
    KEY,
    async (held) => {
      expect(held.lost()).toBe(false);
      ahead = 50_000;
      expect(held.lost()).toBe(true);
      const written = await held.write(login, null);
      expect(held.lost()).toBe(false);
      return written;
    },
    { signal },
  );
  expect(result).toMatchObject({ kind: 'written' });
  expect(await readdir(store.folder)).toEqual([`${KEY}.json`]);
});

test('a reservation belongs to one process, and the numbers increase', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  await store.write(KEY, login, null);
  await store.withLock(
    KEY,
    async (held) => {
      const reservation = await held.reserve('hash', 1);
      expect(reservation).toBeDefined();
      expect(await held.reserve('hash', 1)).toBeUndefined();
      expect(await held.reservations('hash')).toMatchObject([
        { number: 1, owner: 'alive', request: { kind: 'no' } },
      ]);
      expect(await reservation?.prepare()).toBe(true);
      expect(await held.reservations('hash')).toMatchObject([
        { number: 1, owner: 'alive', request: { kind: 'maybe' } },
      ]);
      await reservation?.markAmbiguous();
      expect(await held.reservations('hash')).toMatchObject([{ number: 1, request: { kind: 'ambiguous' } }]);
      const second = await held.reserve('hash', 2);
      await second?.prepare();
      const next = { ...login, lastRefresh: { at: 1, outcome: 'refreshed' } };
      const written = await second?.commit(next, { revision: 1, family: login.family });
      expect(written).toMatchObject({ kind: 'written', record: { ...next, revision: 2 } });
      expect(await held.reservations('hash')).toEqual([]);
    },
    { signal },
  );
  expect(await readdir(store.folder)).toEqual([`${KEY}.json`]);
});

test.each<[string, (held: LockedRecord) => Promise<unknown>]>([
  ['claimed after it', (held) => held.reserve('hash', 2)],
  ['done with it altogether', (held) => held.clearReservations('hash')],
])('who was taken for dead must not send the token: another process has %s', async (_, happens) => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  await store.withLock(
    KEY,
    async (held) => {
      const reservation = await held.reserve('hash', 1);
      await happens(held);
      expect(await reservation?.prepare()).toBe(false);
      await reservation?.release();
      const left = await held.reservations('hash');
      expect(left.map(({ number }) => number)).not.toContain(1);
      await held.clearReservations('hash');
    },
    { signal },
  );
  expect(await readdir(store.folder)).toEqual([]);
});

test('the space for a response is on disk before the token is sent', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  await store.withLock(
    KEY,
    async (held) => {
      await (await held.reserve('hash', 1))?.prepare();
      const answer = (await readdir(store.folder)).find((name) => name.endsWith('.answer')) ?? '';
      const stats = await stat(join(store.folder, answer));
      expect(stats.size).toBe(256 * 1024);
      expect(stats.blocks * 512).toBeGreaterThanOrEqual(256 * 1024);
      expect(stats.mode & 0o777).toBe(0o600);
    },
    { signal },
  );
});

test('a response that arrives after a logout is not written, and leaves nothing', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  await store.write(KEY, login, null);
  await store.withLock(
    KEY,
    async (held) => {
      const reservation = await held.reserve('hash', 1);
      await reservation?.prepare();
      await held.remove();
      const late = await reservation?.commit(login, { revision: 1, family: login.family });
      expect(late).toEqual({ kind: 'superseded' });
    },
    { signal },
  );
  expect(await readdir(store.folder)).toEqual([]);
});

test('a reservation file that does not name its owner counts as an unreachable owner', async () => {
  await using home = await TemporaryHome.create();
  const store = await open(home);
  await writeFile(join(store.folder, `${KEY}.hash.1.claim`), '', { mode: 0o600 });
  const reservations = await store.withLock(KEY, (held) => held.reservations('hash'), { signal });
  expect(reservations).toMatchObject([{ number: 1, owner: 'unknown' }]);
});

test('the cache is kept per server, and a failed write of it is not an error', async () => {
  await using home = await TemporaryHome.create();
  const folder = join(home.folder, 'servers');
  const remembered = { savedAt: 1, initialize: { serverInfo: { name: 'x' } }, lists: {} };
  expect(await readCachedServer(folder, KEY)).toBeUndefined();
  expect(await writeCachedServer(folder, KEY, remembered)).toBe(true);
  expect(await readCachedServer(folder, KEY)).toEqual(remembered);
  expect(await modeOf(join(folder, `${KEY}.json`))).toBe(0o600);
  await writeFile(join(home.folder, 'file'), '');
  expect(await writeCachedServer(join(home.folder, 'file', 'servers'), KEY, remembered)).toBe(false);
  expect(await readCachedServer(join(home.folder, 'file'), KEY)).toBeUndefined();
});

test('what a server says before its cache file was read is kept, and so is what only the file has', async () => {
  await using home = await TemporaryHome.create();
  const folder = join(home.folder, 'servers');
  const options = { folder, key: KEY, now: () => 2, defer: () => {} };
  const lists = { 'tools/list': { tools: [] } };
  await writeCachedServer(folder, KEY, { savedAt: 1, transport: 'http', lists });
  const cache = new ServerCacheFile(options);
  const reading = cache.read();
  cache.update({ transport: 'sse', era: 'legacy' });
  expect(await reading).toEqual({ transport: 'http', lists });
  await cache.flush();
  expect(await readCachedServer(folder, KEY)).toEqual({ savedAt: 2, transport: 'sse', era: 'legacy', lists });
});
