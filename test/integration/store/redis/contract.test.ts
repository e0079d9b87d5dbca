import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../../src/platform/clock.ts';
import { CONNECT_MS, SILENT_WAIT_MS } from '../../../../src/store/redis/limits.ts';
import { createAuthority } from '../../../peers/net/certificates.ts';
import { hasRedis } from '../../../peers/processes/tools.ts';
import { Engines } from '../../../peers/redis/engines.ts';
import { accessRules, RedisServer, type RedisServerOptions } from '../../../peers/redis/redis-server.ts';
import { WatchedRedis } from '../../../peers/redis/sentinels.ts';
import { type EngineUnderTest, engineContract } from '../shared/engine-contract.ts';

/** A server on a machine that is busy with other tests may need longer than a person would wait. Pauses vary, and are no whole numbers; limits are. */
const patient: Clock = {
  ...systemClock,
  sleep: (ms, signal) => {
    const isLimit = Number.isInteger(ms) && ms >= SILENT_WAIT_MS && ms <= CONNECT_MS;
    return systemClock.sleep(isLimit ? 5 * ms : ms, signal);
  },
};

/** What can be done to servers, wherever they are. */
interface Place extends AsyncDisposable {
  readonly url: string;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const user = { name: 'store', password: 'p@ss/w:rd-canary', rules: accessRules('test') };

async function tlsOptions(): Promise<NonNullable<RedisServerOptions['tls']>> {
  const authority = await createAuthority('store');
  return { ...(await authority.issue({ hosts: ['127.0.0.1', 'localhost'] })), authority: authority.pem };
}

async function one(options: RedisServerOptions): Promise<Place> {
  const server = await RedisServer.start({ keepsData: true, ...options });
  return {
    url: server.url,
    restart: () => server.restart(),
    stop: () => server.kill(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A start of such a store is a failover. */
async function watched(options: RedisServerOptions): Promise<Place> {
  const redis = await WatchedRedis.start({ keepsData: true, ...options });
  let isStopped = false;
  return {
    url: redis.url,
    restart: async () => {
      if (!isStopped) await redis.revive(await redis.failOver());
      else for (const server of redis.servers) await server.restart();
      isStopped = false;
    },
    stop: async () => {
      isStopped = true;
      for (const server of redis.servers) await server.kill();
    },
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

const PLACES: readonly [string, () => Promise<Place>][] = [
  ['one server', () => one({})],
  ['TLS, and a user with the shortest access list', async () => one({ tls: await tlsOptions(), user })],
  ['Sentinels', () => watched({})],
];

describe.skipIf(!hasRedis()).each(PLACES)('Redis: %s', (name, start) => {
  let place: Place;
  const engines = new Engines();
  beforeAll(async () => {
    place = await start();
  });
  afterAll(async () => {
    await engines[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  engineContract(
    name,
    async (): Promise<EngineUnderTest> => ({
      connect: async () => engines.open(place.url, { clock: patient }),
      restart: () => place.restart(),
      stop: () => place.stop(),
      [Symbol.asyncDispose]: () => engines[Symbol.asyncDispose](),
    }),
  );

  test('it is the primary, and says what it is', async () => {
    const engine = engines.open(place.url);
    const cell = 'test:primary:c';
    await engine.put(cell, new TextEncoder().encode('a'), await engine.get(cell), false);
    expect(await engine.isPrimary(2_000)).toBe(true);
    expect(await engine.settled(2_000)).toBe(true);
    expect(await engine.describe()).toMatchObject({
      engine: expect.stringMatching(/^(redis|valkey) \d/),
      role: 'primary',
      epoch: (await engine.get(cell)).epoch,
      roundTripMs: expect.any(Number),
      replicas: expect.any(Number),
      persistence: 'append-only file',
      evictionPolicy: 'noeviction',
    });
  });
});
