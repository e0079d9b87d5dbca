import { describe, expect, test } from 'vitest';
import { hasRedis } from '../../peers/processes/tools.ts';
import { RedisServer } from '../../peers/redis/redis-server.ts';
import { WatchedRedis } from '../../peers/redis/sentinels.ts';
import { TcpProxy } from '../../peers/redis/tcp-proxy.ts';

describe.skipIf(!hasRedis())('servers of Redis', () => {
  test('written data survives kill -9, or is lost, as configured', async () => {
    await using server = await RedisServer.start({ keepsData: true });
    await server.call('SET', 'a', '1');
    await server.restart();
    expect(await server.call('GET', 'a')).toBe('1');
    await server.restart({ keepsData: false });
    expect(await server.call('GET', 'a')).toBeNull();
  });

  test('a failover with the replication cut loses what was acknowledged', async () => {
    await using redis = await WatchedRedis.start();
    const [primary, replica] = redis.servers;
    await primary.call('SET', 'kept', '1');
    expect(await primary.call('WAIT', '1', '5000')).toBe(1);
    await redis.cutReplication();
    expect(await primary.call('SET', 'lost', '1')).toBe('OK');
    await redis.failOver();
    expect(await redis.primaryPort()).toBe(replica.port);
    expect(await replica.call('MGET', 'kept', 'lost')).toEqual(['1', null]);
  });

  test('a proxy redirects connections, and holds what passes through it', async () => {
    await using one = await RedisServer.start();
    await using other = await RedisServer.start();
    await using proxy = await TcpProxy.start(one.port);
    await other.call('SET', 'name', 'other');
    await other.replicate(proxy.port);
    await one.call('SET', 'a', '1');
    expect(await one.call('WAIT', '1', '5000')).toBe(1);
    proxy.mode = 'hole';
    await one.call('SET', 'a', '2');
    expect(await one.call('WAIT', '1', '100')).toBe(0);
    await other.promote();
    expect(await other.call('GET', 'a')).toBe('1');
  });
});
