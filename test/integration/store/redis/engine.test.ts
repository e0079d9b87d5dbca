import { describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../../src/platform/clock.ts';
import { IDLE_MS } from '../../../../src/store/redis/limits.ts';
import { MAX_CELL_BYTES } from '../../../../src/store/shared/engine.ts';
import { createAuthority } from '../../../peers/net/certificates.ts';
import { Journal } from '../../../peers/net/journal.ts';
import { hasRedis } from '../../../peers/processes/tools.ts';
import { Engines } from '../../../peers/redis/engines.ts';
import { accessRules, RedisServer } from '../../../peers/redis/redis-server.ts';
import { WatchedRedis } from '../../../peers/redis/sentinels.ts';
import { TcpProxy } from '../../../peers/redis/tcp-proxy.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined) => body && new TextDecoder().decode(body);

/** A name that no other test uses. */
let names = 0;
const newCell = () => `mcp:${++names}:c`;

const user = { name: 'store', password: 'p@ss/w:rd-canary', rules: accessRules('mcp') };

describe.skipIf(!hasRedis())('an engine', () => {
  test('does not send a cell that is too large', async () => {
    await using engines = new Engines();
    const tooLarge = new Uint8Array(MAX_CELL_BYTES + 1);
    const put = engines.open('redis://127.0.0.1:1').put(newCell(), tooLarge, { seq: 1 }, false);
    await expect(put).rejects.toMatchObject({ code: 'store' });
  });

  test('a cell expires at its time, and stays if it has none', async () => {
    await using server = await RedisServer.start();
    await using engines = new Engines();
    const engine = engines.open(server.url);
    const cell = newCell();
    const put = await engine.put(cell, bytes('a'), await engine.get(cell), false, 60_000);
    expect(await server.call('PTTL', cell)).toBeGreaterThan(50_000);
    await engine.put(cell, bytes('b'), put.cell, false);
    expect(await server.call('PTTL', cell)).toBe(-1);
  });

  test('a restart changes the epoch, and invalidates earlier reads', async () => {
    await using server = await RedisServer.start({ keepsData: true });
    await using engines = new Engines();
    const engine = engines.open(server.url);
    const cell = newCell();
    const before = (await engine.put(cell, bytes('a'), await engine.get(cell), false)).cell;
    const heard = new Journal<string>();
    engine.watch(cell, () => heard.add('heard'));
    await heard.until(() => heard.count() === 1);
    await server.restart();
    await heard.until(() => heard.count() >= 2, { what: 'to be told after a reconnect' });
    const late = await engine.put(cell, bytes('b'), before, false);
    expect([late.kind, text(late.cell.body)]).toEqual(['superseded', 'a']);
    expect(late.cell.epoch).not.toBe(before.epoch);
    await server.restart({ keepsData: false });
    expect((await engine.get(cell)).seq).toBe(0);
  });

  test('a failover changes the epoch; unreplicated data is gone, and WAIT had said so', async () => {
    await using redis = await WatchedRedis.start();
    await using engines = new Engines();
    const engine = engines.open(redis.url);
    const cell = newCell();
    const kept = (await engine.put(cell, bytes('kept'), await engine.get(cell), false)).cell;
    expect(await engine.settled(5_000)).toBe(true);
    const heard = new Journal<string>();
    engine.watch(cell, () => heard.add('heard'));
    await heard.until(() => heard.count() === 1);
    await redis.cutReplication();
    expect((await engine.put(cell, bytes('lost'), kept, false)).kind).toBe('written');
    expect(await engine.settled(200)).toBe(false);
    await redis.failOver();
    await heard.until(() => heard.count() >= 2, { what: 'to be told by the new primary' });
    const read = await engine.get(cell);
    expect([read.seq, text(read.body)]).toEqual([1, 'kept']);
    expect(read.epoch).not.toBe(kept.epoch);
    expect(await engine.isPrimary(2_000)).toBe(true);
  });

  test('Sentinels and servers with TLS and passwords', async () => {
    const authority = await createAuthority('store');
    const tls = { ...(await authority.issue()), authority: authority.pem };
    const user = { name: 'store', password: 'p@ss/w:rd-canary', rules: accessRules('mcp') };
    await using redis = await WatchedRedis.start({ tls, user });
    await using engines = new Engines();
    const engine = engines.open(redis.url);
    const cell = newCell();
    expect((await engine.put(cell, bytes('a'), await engine.get(cell), true)).kind).toBe('written');
    expect(await engine.isPrimary(5_000)).toBe(true);
    expect(await engine.settled(5_000)).toBe(true);
  });

  test('the old primary does not count as primary for clients that still reach it', async () => {
    await using redis = await WatchedRedis.start();
    await using engines = new Engines();
    const engine = engines.open(redis.url);
    const cell = newCell();
    await engine.put(cell, bytes('a'), await engine.get(cell), false);
    // Sentinels change their mind, and the connection does not know yet.
    for (const sentinel of redis.sentinels) {
      await sentinel.ask('REMOVE', redis.name);
      await sentinel.ask('MONITOR', redis.name, '127.0.0.1', String(redis.servers[1].port), '2');
    }
    expect(await engine.isPrimary(2_000)).toBe(false);
  });

  test('without Sentinels a replica has to confirm the primary, once one was seen', async () => {
    await using one = await RedisServer.start();
    await using other = await RedisServer.start();
    await using link = await TcpProxy.start(one.port);
    await other.replicate(link.port);
    await using engines = new Engines();
    const engine = engines.open(one.url);
    const cell = newCell();
    const put = (await engine.put(cell, bytes('a'), await engine.get(cell), false)).cell;
    expect(await engine.isPrimary(5_000)).toBe(true);
    link.mode = 'hole';
    await engine.put(cell, bytes('b'), put, false);
    expect(await engine.isPrimary(200)).toBe(false);
    link.cut();
    await one.call('CLIENT', 'KILL', 'TYPE', 'replica');
    expect((await engine.describe()).replicas).toBe(0);
    expect(await engine.isPrimary(200)).toBe(false);
  });

  test('a lost reply may mean success, and the cell shows which', async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using engines = new Engines();
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`);
    const cell = newCell();
    const absent = await engine.get(cell);
    proxy.resetAfterBytes = 0;
    await expect(engine.put(cell, bytes('mine'), absent, false)).rejects.toMatchObject({
      code: 'store_away',
      applied: 'maybe',
    });
    const found = await engine.get(cell);
    expect([found.seq, text(found.body)]).toEqual([1, 'mine']);
    expect(await server.info('total_commands_processed')).toBeDefined();
  });

  test('cells of an unknown format can be replaced', async () => {
    await using server = await RedisServer.start();
    await using engines = new Engines();
    const engine = engines.open(server.url);
    const [string, list, number, large] = [newCell(), newCell(), newCell(), newCell()];
    await server.call('SET', string, 'x');
    await server.call('RPUSH', list, 'x');
    await server.call('HSET', number, 's', '1e300', 'b', 'x');
    await server.call('HSET', large, 's', '7', 'b', 'x'.repeat(MAX_CELL_BYTES + 1));
    for (const [cell, seq] of [
      [string, 0],
      [list, 0],
      [number, 0],
      [large, 7],
    ] as const) {
      const seen = await engine.get(cell);
      expect(seen.seq).toBe(seq);
      expect((await engine.put(cell, bytes('new'), seen, false)).kind).toBe('written');
      expect(text((await engine.get(cell)).body)).toBe('new');
    }
  });

  test('what the access list forbids stays unknown, and nothing else fails', async () => {
    const rules = accessRules('mcp').replace('+info', '');
    await using server = await RedisServer.start({ user: { ...user, rules } });
    await using engines = new Engines();
    const engine = engines.open(server.url);
    const cell = newCell();
    const seen = await engine.get(cell);
    expect(seen.epoch).toBeUndefined();
    await engine.put(cell, bytes('a'), seen, true);
    // A proxy may be in front of such a server.
    expect(await engine.isPrimary(200)).toBe(false);
    const { engine: name, role, replicas, evictionPolicy } = await engine.describe();
    expect([name, role, replicas, evictionPolicy]).toEqual(['redis', undefined, undefined, undefined]);
  });

  test('an idle engine keeps only the connection on which it listens', async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using engines = new Engines();
    const clock: Clock = {
      ...systemClock,
      sleep: (ms, signal) => systemClock.sleep(ms === IDLE_MS ? 50 : ms, signal),
    };
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`, { clock });
    const cell = newCell();
    const heard = new Journal<string>();
    engine.watch(cell, () => heard.add('heard'));
    const seen = await engine.get(cell);
    await heard.until(() => heard.count() === 1);
    while (proxy.open > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    // It is not a loss: no listener is notified.
    expect((await engine.put(cell, bytes('a'), seen, true)).kind).toBe('written');
    await heard.until(() => heard.count() === 2);
    expect(proxy.connections).toBe(3);
  });

  test('warns once about a server that evicts keys', async () => {
    await using server = await RedisServer.start({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    await using kept = await RedisServer.start({ args: ['--maxmemory-policy', 'volatile-lru'] });
    await using engines = new Engines();
    const warnings = new Journal<string>();
    const warn = (text: string) => warnings.add(text);
    const engine = engines.open(server.url, { warn });
    await engine.get(newCell());
    await warnings.until(() => warnings.count() === 1);
    expect(warnings.entries[0]).toContain('maxmemory-policy allkeys-lru');
    const other = engines.open(kept.url, { warn });
    for (const each of [engine, other]) {
      await each.get(newCell());
      // Answered after what would have led to another warning.
      await each.describe();
    }
    expect(warnings.count()).toBe(1);
  });

  test('uses one connection for commands, a second one while there are watchers, and none after the end', async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using engines = new Engines();
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`);
    const cell = newCell();
    await Promise.all(Array.from({ length: 20 }, () => engine.get(cell)));
    expect(proxy.connections).toBe(1);
    const heard = new Journal<string>();
    for (const name of [cell, newCell(), newCell()]) engine.watch(name, () => heard.add(name));
    await heard.until(() => heard.count() === 3);
    expect(proxy.connections).toBe(2);
    await engine.close();
    while (proxy.open > 0) await new Promise(setImmediate);
    await expect(engine.get(cell)).rejects.toMatchObject({ code: 'store_away' });
  });
});
