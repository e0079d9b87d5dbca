import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { describeError } from '../../../../src/errors.ts';
import { type Clock, systemClock } from '../../../../src/platform/clock.ts';
import type { StopSignal } from '../../../../src/platform/stop.ts';
import { CONNECT_MS, IDLE_MS, LATER_MS, SILENT_PAUSE_MS } from '../../../../src/store/redis/limits.ts';
import type { RedisEngine } from '../../../../src/store/redis/redis-engine.ts';
import type { Cell } from '../../../../src/store/shared/engine.ts';
import { createAuthority } from '../../../peers/net/certificates.ts';
import { Journal } from '../../../peers/net/journal.ts';
import { hasRedis, isPosix } from '../../../peers/processes/tools.ts';
import { Engines } from '../../../peers/redis/engines.ts';
import { OddRedis } from '../../../peers/redis/odd-redis.ts';
import { accessRules, RedisServer, type RedisServerOptions } from '../../../peers/redis/redis-server.ts';
import { WatchedRedis } from '../../../peers/redis/sentinels.ts';
import { TcpProxy } from '../../../peers/redis/tcp-proxy.ts';

const CELL = 'mcp:a:c';
const bytes = (text: string) => new TextEncoder().encode(text);
const user = { name: 'store', password: 'p@ss/w:rd-canary', rules: accessRules('mcp') };

/** A clock whose waits can be made endless, from some length on: then it stands still, for whoever would wait. */
class StoppedClock implements Clock {
  readonly now = systemClock.now;
  readonly uptime = systemClock.uptime;
  readonly #idleMs: number;
  #longestMs = Number.POSITIVE_INFINITY;
  #stoppedAt: number | undefined;

  /** `idleMs`: how long a connection stays without use. */
  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  monotonic(): number {
    return this.#stoppedAt ?? systemClock.monotonic();
  }

  async sleep(ms: number, signal?: StopSignal): Promise<void> {
    const wanted = ms === IDLE_MS ? this.#idleMs : ms;
    return await systemClock.sleep(wanted <= this.#longestMs ? wanted : MAX_TIMER_MS, signal);
  }

  /** As long as `run` takes. */
  async without(waitsLongerThanMs: number, run: () => Promise<void>): Promise<void> {
    [this.#longestMs, this.#stoppedAt] = [waitsLongerThanMs, systemClock.monotonic()];
    await run();
    [this.#longestMs, this.#stoppedAt] = [Number.POSITIVE_INFINITY, undefined];
  }
}

const MAX_TIMER_MS = 2 ** 31 - 1;
/** What an operation may wait for that follows another: two timers are not exact. */
const NOTHING_MS = 50;
/** What a later attempt may take of an operation: less than one to an engine that was well. On a busy machine it is longer than half a second. */
const LITTLE_MS = 1_500;

/** All operations fail, because nothing answers. */
async function callInVain(engine: RedisEngine, on: Pick<Cell, 'seq' | 'epoch'>): Promise<void> {
  await askInVain(() => engine.get(CELL));
  await askInVain(() => engine.get(CELL));
  await askInVain(() => engine.put(CELL, bytes('a'), on, true));
}

async function askInVain(ask: () => Promise<unknown>): Promise<void> {
  const error = await ask().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'store_away' });
  expect(describeError(error)).toMatch(/^the store at .*127\.0\.0\.1:\d+.* does not answer in time$/);
}

/** One operation waits, and those that follow do not: they would wait forever. */
async function expectOneWait(
  engine: RedisEngine,
  clock: StoppedClock,
  on: Pick<Cell, 'seq' | 'epoch'>,
): Promise<void> {
  await askInVain(() => engine.get(CELL));
  await clock.without(NOTHING_MS, () => callInVain(engine, on));
}

/** Servers that were well, and are silent from a moment on. */
interface Place extends AsyncDisposable {
  readonly url: string;
  silence(): Promise<void>;
  resume(): void;
}

async function one(options: RedisServerOptions): Promise<Place> {
  const server = await RedisServer.start(options);
  return {
    url: server.url,
    silence: async () => server.process.suspend(),
    resume: () => server.process.resume(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The system answers nothing either: its queue of connections is full. */
async function blackHole(): Promise<Place> {
  const server = await RedisServer.start({ args: ['--tcp-backlog', '1'] });
  const sockets: Socket[] = [];
  const free = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: server.url,
    silence: async () => {
      server.process.suspend();
      for (let isFull = false; !isFull; ) {
        const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
        sockets.push(socket);
        const connected = new Promise<boolean>((resolve) => socket.once('connect', () => resolve(false)));
        isFull = await Promise.race([connected, delay(300, true)]);
      }
    },
    resume: () => {
      free();
      server.process.resume();
    },
    [Symbol.asyncDispose]: async () => {
      free();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function watched(silent: 'servers' | 'all'): Promise<Place> {
  const redis = await WatchedRedis.start();
  const processes = [...redis.servers, ...(silent === 'all' ? redis.sentinels : [])].map(
    ({ process }) => process,
  );
  return {
    url: redis.url,
    silence: async () => {
      // No failover: it would name another server, which is silent too.
      for (const sentinel of redis.sentinels)
        await sentinel.ask('SET', redis.name, 'down-after-milliseconds', '600000');
      for (const process of processes) process.suspend();
    },
    resume: () => {
      for (const process of processes) process.resume();
    },
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

async function secured(): Promise<Place> {
  const authority = await createAuthority('store');
  return await one({ tls: { ...(await authority.issue()), authority: authority.pem }, user });
}

const PLACES: readonly [string, () => Promise<Place>][] = [
  ['a server', () => one({})],
  ['a server that asks for a password', () => one({ user })],
  ['a server with TLS and a password', secured],
  ['the primary of Sentinels', () => watched('servers')],
  ['Sentinels and their servers', () => watched('all')],
  ...(isPosix() ? [['a server that takes no connections', blackHole] as const] : []),
].map(([name, start]) => [name, start] as [string, () => Promise<Place>]);

describe.skipIf(!hasRedis())('an engine that is silent', () => {
  test.concurrent.each(PLACES)('%s: a call waits for one answer, and the next for none', async (_, start) => {
    await using place = await start();
    await using engines = new Engines();
    const clocks = [new StoppedClock(), new StoppedClock(20)] as const;
    const [kept, closed] = clocks.map((clock) => engines.open(place.url, { clock })) as [
      RedisEngine,
      RedisEngine,
    ];
    const on = await kept.get(CELL);
    await closed.get(CELL);
    // Until its connection is closed.
    await delay(100);
    await place.silence();
    await Promise.all([expectOneWait(kept, clocks[0], on), expectOneWait(closed, clocks[1], on)]);
    // Until the attempt has ended, and the pause after it.
    await delay(CONNECT_MS + SILENT_PAUSE_MS);
    await clocks[0].without(LITTLE_MS, () => callInVain(kept, on));
    place.resume();
    for (const engine of [kept, closed]) await untilAnswered(engine);
  });

  test('one that was never well is given one wait, whatever it answers to PING', async () => {
    for (const pong of [undefined, '+PONG\r\n', '-ERR unknown command\r\n']) {
      await using odd = await OddRedis.start(([name]) => (name === 'PING' ? pong : undefined));
      await using engines = new Engines();
      const clock = new StoppedClock();
      const engine = engines.open(odd.url, { clock });
      await expectOneWait(engine, clock, { seq: 0 });
      expect(odd.commands.count(([name]) => name === 'EVALSHA')).toBe(pong === undefined ? 1 : 2);
      await engine.close();
      await odd.ended.until(() => odd.ended.count() === 2);
    }
  });

  test('a connection that nobody waits for any more is used when it is answered, and closed when it is idle', async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using engines = new Engines();
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`, { clock: new StoppedClock(20) });
    await engine.get(CELL);
    while (proxy.open > 0) await delay(10);
    server.process.suspend();
    await expect(engine.get(CELL)).rejects.toMatchObject({ code: 'store_away' });
    // The one on which it was asked ends; another is on trial.
    while (proxy.open > 1) await delay(10);
    // Longer than a connection stays without use.
    await delay(100);
    server.process.resume();
    while (proxy.open > 0) await delay(10);
    expect(proxy.connections).toBe(3);
  });

  test('nothing stays open when it is closed in the middle of an attempt', async () => {
    await using odd = await OddRedis.start(() => undefined);
    await using engines = new Engines();
    const clock = new StoppedClock();
    const engine = engines.open(odd.url.replace('redis://', 'redis://user:canary-password@'), { clock });
    // None of the limits ends anything.
    await clock.without(LATER_MS, async () => {
      engine.watch(CELL, () => undefined);
      const asked = engine.get(CELL);
      await odd.commands.until(() => odd.commands.count(([name]) => name === 'AUTH') === 2);
      await Promise.all([engine.close(), expect(asked).rejects.toMatchObject({ code: 'store_away' })]);
      await odd.ended.until(() => odd.ended.count() === 2);
    });
  });

  test('one that ends each connection is not asked again and again', async () => {
    await using odd = await OddRedis.start(() => (socket) => socket.destroy());
    await using engines = new Engines();
    const engine = engines.open(odd.url);
    for (let turn = 0; turn < 50; turn++) {
      await expect(engine.get(CELL)).rejects.toMatchObject({ code: 'store_away' });
    }
    expect(odd.commands.count()).toBeLessThan(10);
  });
});

describe.skipIf(!hasRedis())('a connection that is dead, to an engine that is well', () => {
  test('a read is answered all the same, and what is watched is heard of', async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using engines = new Engines();
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`);
    const heard = new Journal<string>();
    engine.watch(CELL, () => heard.add('heard'));
    const absent = await engine.get(CELL);
    await heard.until(() => heard.count() === 1);
    expect(proxy.open).toBe(2);
    proxy.swallow();
    expect((await engine.get(CELL)).seq).toBe(0);
    const told = heard.count();
    // The connection for changes is dead as well, which its own question shows.
    while (proxy.connections < 4) await delay(10);
    await heard.until(() => heard.count() > told);
    const before = heard.count();
    await engines.open(server.url).put(CELL, bytes('a'), absent, true);
    await heard.until(() => heard.count() > before);
    expect(proxy.open).toBe(2);
  });

  test.each([
    ['all', 0],
    ['answers', 1],
  ] as const)('a put is not sent again, and looked up on a new one (swallowed: %s)', async (what, seq) => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using engines = new Engines();
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`);
    const absent = await engine.get(CELL);
    proxy.swallow(what);
    await expect(engine.put(CELL, bytes('mine'), absent, false)).rejects.toMatchObject({
      code: 'store_away',
      applied: 'maybe',
    });
    expect((await engine.get(CELL)).seq).toBe(seq);
    expect(proxy.connections).toBe(2);
    expect(proxy.open).toBe(1);
  });

  test('where connecting takes more than a second: the next operation gets the new one', async () => {
    const authority = await createAuthority('store');
    const tls = { ...(await authority.issue()), authority: authority.pem };
    await using server = await RedisServer.start({ tls, user });
    await using proxy = await TcpProxy.start(server.port);
    proxy.delayMs = 300;
    await using engines = new Engines();
    const engine = engines.open(server.url.replace(`:${server.port}`, `:${proxy.port}`));
    const absent = await engine.get(CELL);
    proxy.swallow('answers');
    await expect(engine.put(CELL, bytes('mine'), absent, false)).rejects.toMatchObject({ applied: 'maybe' });
    expect((await engine.get(CELL)).seq).toBe(1);
  });
});

describe.skipIf(!hasRedis())('an engine that is slow', () => {
  test('keeps its connection: it answers there before it answers on another', async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using engines = new Engines();
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`);
    const absent = await engine.get(CELL);
    proxy.delayMs = 600;
    expect((await engine.put(CELL, bytes('a'), absent, false)).kind).toBe('written');
    expect((await engine.get(CELL)).seq).toBe(1);
    while (proxy.open > 1) await delay(10);
  });

  test('keeps it while an answer is arriving', async () => {
    const answer = '*7\r\n:1\r\n$1\r\n5\r\n$0\r\n\r\n$1\r\n1\r\n$-1\r\n$6\r\nmaster\r\n$1\r\n0\r\n';
    const trickle = async (socket: Socket) => {
      for (const byte of answer) {
        socket.write(byte);
        await delay(1_500 / answer.length);
      }
    };
    await using odd = await OddRedis.start(([name]) => (name === 'PING' ? '+PONG\r\n' : trickle));
    await using engines = new Engines();
    expect((await engines.open(odd.url).put(CELL, bytes('a'), { seq: 0 }, false)).kind).toBe('written');
  });

  test('keeps it also while it waits for a replica', async () => {
    await using server = await RedisServer.start();
    await using replica = await RedisServer.start();
    await using link = await TcpProxy.start(server.port);
    await using proxy = await TcpProxy.start(server.port);
    await replica.replicate(link.port);
    await using engines = new Engines();
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`);
    const put = (await engine.put(CELL, bytes('a'), await engine.get(CELL), false)).cell;
    link.mode = 'hole';
    const next = (await engine.put(CELL, bytes('b'), put, false)).cell;
    const [isSettled, found] = await Promise.all([engine.settled(1_500), engine.get(CELL)]);
    expect(isSettled).toBe(false);
    expect(found.seq).toBe(next.seq);
    expect(proxy.connections).toBe(1);
  });
});

async function untilAnswered(engine: RedisEngine): Promise<void> {
  while ((await engine.get(CELL).catch(() => undefined)) === undefined) await delay(20);
}
