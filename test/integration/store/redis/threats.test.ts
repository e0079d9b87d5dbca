import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../../src/platform/log/logger.ts';
import { openShared, type Shared } from '../../../../src/store/open-shared.ts';
import type { NewRecord } from '../../../../src/store/record/record.ts';
import { Journal } from '../../../peers/net/journal.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';
import { hasRedis } from '../../../peers/processes/tools.ts';
import { RedisServer } from '../../../peers/redis/redis-server.ts';

const PREFIX = 'canaries';
const [A, B] = ['ab'.repeat(32), 'cd'.repeat(32)];

const login = (accessToken: string): NewRecord => {
  const { version: _version, revision: _revision, ...record } = wholeRecord;
  const tokens = { ...wholeRecord.tokens, accessToken, tokenType: 'Bearer', obtainedAt: Date.now() };
  return { ...record, tokens: { ...tokens, expiresAt: Date.now() + 3_600_000 } };
};

/** Everything in a login that says anything. */
const CANARIES = JSON.stringify(wholeRecord)
  .match(/[\w./:-]{8,}/g)
  ?.filter(
    (word) =>
      !/^(issuer|endpoints|revocation|version|revision|tokenEndpoint|clientSecret|redirectUri)/.test(word),
  );

/** Machines with the same key and store. */
class Machines implements AsyncDisposable {
  readonly secret = new Uint8Array(randomBytes(32));
  readonly #opened: Shared[] = [];
  readonly #url: string;

  constructor(server: RedisServer) {
    this.#url = server.url;
  }

  async open(): Promise<Shared> {
    const secrets = async () => [this.secret];
    const store = { kind: 'shared', url: this.#url, prefix: PREFIX, secrets } as const;
    const shared = await openShared({ home: undefined, store, logger: silentLogger });
    this.#opened.push(shared);
    return shared;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const shared of this.#opened) await shared.close();
  }
}

/** Everything that the server sends to a client that asks for it: `MONITOR`, or `SYNC` as a replica does. */
async function listen(
  server: RedisServer,
  command: string,
  begin: RegExp,
): Promise<{ text: () => string; end: () => void }> {
  const socket = connect(server.port, '127.0.0.1');
  const heard = new Journal<string>();
  socket.on('data', (chunk) => heard.add(chunk.toString('latin1')));
  await once(socket, 'connect');
  socket.write(`${command}\r\n`);
  const text = () => heard.entries.join('');
  await heard.until(() => begin.test(text()));
  return { text, end: () => socket.destroy() };
}

async function filesOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return texts.join('');
}

const cellsOf = async (server: RedisServer) =>
  ((await server.call('KEYS', `${PREFIX}:*:c`)) as string[]).sort();

const tokenIn = async ({ store }: Shared, key: string): Promise<string | undefined> => {
  const found = await store.read(key);
  return found.kind === 'record' ? found.record.tokens?.accessToken : undefined;
};

describe.skipIf(!hasRedis())('an operator of the engine (SECURITY.md, attack 47)', () => {
  test('reads nothing in its files, MONITOR, replication and memory', async () => {
    await using server = await RedisServer.start({ keepsData: true, args: ['--rdbcompression', 'no'] });
    await using machines = new Machines(server);
    const monitor = await listen(server, 'MONITOR', /OK/);
    const replica = await listen(server, 'SYNC', /REDIS0/);
    const shared = await machines.open();
    await shared.store.write(A, login('access-token-canary'), 'any');
    await shared.store.write(B, login('access-token-canary'), 'any');
    const lease = await shared.leases.create(A, Date.now());
    if (lease.kind !== 'created') throw new Error(lease.kind);
    await shared.store.remove(B);
    const cells = await cellsOf(server);
    expect(cells).toHaveLength(2);
    await server.call('SAVE');
    const isThere = (text: string) => cells.every((cell) => text.includes(cell));
    while (!isThere(replica.text())) await new Promise(setImmediate);
    const media = {
      monitor: monitor.text(),
      replication: replica.text(),
      files: await filesOf(server.folder),
      'the snapshot alone': await readFile(join(server.folder, 'dump.rdb'), 'latin1'),
    };
    monitor.end();
    replica.end();
    expect(CANARIES?.length).toBeGreaterThan(15);
    const secret = Buffer.from(machines.secret);
    const words = [
      ...(CANARIES ?? []),
      A,
      B,
      secret.toString('latin1'),
      secret.toString('base64'),
      'credential',
      'lease',
    ];
    for (const [medium, text] of Object.entries(media)) {
      expect(isThere(text), medium).toBe(true);
      expect(
        words.filter((word) => text.includes(word)),
        medium,
      ).toEqual([]);
    }
  });

  test('cells that are swapped or cut count as no login, and a sign-in replaces them', async () => {
    await using server = await RedisServer.start();
    await using machines = new Machines(server);
    const shared = await machines.open();
    await shared.store.write(A, login('token-a'), 'any');
    await shared.store.write(B, login('token-b'), 'any');
    await shared.close();
    const [first = '', second = ''] = await cellsOf(server);
    await server.call('RENAME', first, 'swap');
    await server.call('RENAME', second, first);
    await server.call('RENAME', 'swap', second);
    const late = await machines.open();
    expect([await tokenIn(late, A), await tokenIn(late, B)]).toEqual([undefined, undefined]);
    expect((await late.store.write(A, login('token-c'), null)).kind).toBe('written');
    expect(await tokenIn(late, A)).toBe('token-c');
    await late.close();
    const cut =
      "redis.call('HSET', KEYS[1], 'b', string.sub(redis.call('HGET', KEYS[1], 'b'), 1, tonumber(ARGV[1])))";
    for (const length of ['0', '1', '16', '40', '-2']) {
      for (const cell of await cellsOf(server)) await server.call('EVAL', cut, '1', cell, length);
      const next = await machines.open();
      expect(await tokenIn(next, A)).toBeUndefined();
      expect((await next.store.write(A, login(`token-${length}`), null)).kind).toBe('written');
      expect(await tokenIn(next, A)).toBe(`token-${length}`);
      await next.close();
    }
  });

  test('an old cell that is put back is replaced by a machine that knows the newer one', async () => {
    await using server = await RedisServer.start();
    await using machines = new Machines(server);
    const shared = await machines.open();
    await shared.store.write(A, login('old'), 'any');
    const [cell = ''] = await cellsOf(server);
    await server.call('COPY', cell, 'old');
    await shared.store.write(A, login('new'), 'any');
    expect(await tokenIn(shared, A)).toBe('new');
    await server.call('COPY', 'old', cell, 'REPLACE');
    expect(await tokenIn(shared, A)).toBe('new');
    const late = await machines.open();
    await expect
      .poll(async () => {
        await shared.store.read(A);
        return tokenIn(late, A);
      })
      .toBe('new');
  });

  test('a logout is not undone by an old cell, while a machine knows of it', async () => {
    await using server = await RedisServer.start();
    await using machines = new Machines(server);
    const shared = await machines.open();
    await shared.store.write(A, login('old'), 'any');
    const [cell = ''] = await cellsOf(server);
    await server.call('COPY', cell, 'old');
    await shared.store.remove(A);
    await server.call('COPY', 'old', cell, 'REPLACE');
    expect(await tokenIn(shared, A)).toBeUndefined();
    const late = await machines.open();
    await expect
      .poll(async () => {
        await shared.store.read(A);
        return tokenIn(late, A);
      })
      .toBeUndefined();
  });
});
