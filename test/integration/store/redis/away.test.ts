import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeError } from '../../../../src/errors.ts';
import { StoreAwayError } from '../../../../src/store/files/store-errors.ts';
import { COMMAND_MS } from '../../../../src/store/redis/limits.ts';
import { startBlackHole } from '../../../peers/faults/black-hole.ts';
import { createAuthority } from '../../../peers/net/certificates.ts';
import { Journal } from '../../../peers/net/journal.ts';
import { freePort } from '../../../peers/net/listening.ts';
import { TemporaryHome } from '../../../peers/processes/home.ts';
import { hasRedis, isPosix } from '../../../peers/processes/tools.ts';
import { Engines } from '../../../peers/redis/engines.ts';
import { flood, OddRedis } from '../../../peers/redis/odd-redis.ts';
import { RedisServer } from '../../../peers/redis/redis-server.ts';
import { WatchedRedis } from '../../../peers/redis/sentinels.ts';
import { TcpProxy } from '../../../peers/redis/tcp-proxy.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function refusal(asked: Promise<unknown>): Promise<StoreAwayError> {
  const error = await asked.then(
    () => new Error('it was answered'),
    (reason: unknown) => reason,
  );
  if (error instanceof StoreAwayError) return error;
  throw error;
}

const nobody = { seq: 0 };

describe('an engine that is away', () => {
  test('nobody listens', async () => {
    await using engines = new Engines();
    const port = await freePort();
    const engine = engines.open(`redis://127.0.0.1:${port}`);
    const error = await refusal(engine.get('mcp:a:c'));
    expect(error).toMatchObject({ code: 'store_away', applied: 'no' });
    expect(describeError(error)).toBe(`the store at 127.0.0.1:${port} cannot be reached (ECONNREFUSED)`);
    expect(error.hint).toBe(
      'Check that the engine runs, and that the port in the address of the store is right.',
    );
    expect(await refusal(engine.put('mcp:a:c', bytes('a'), nobody, false))).toMatchObject({ applied: 'no' });
    expect(await engine.isPrimary(100)).toBe(false);
    expect(await engine.settled(100)).toBe(false);
    await refusal(engine.describe());
  });

  test('a name that nobody knows', async () => {
    await using engines = new Engines();
    const error = await refusal(engines.open('redis://engine.invalid').get('mcp:a:c'));
    expect(describeError(error)).toMatch(
      /^the store at engine\.invalid:6379 cannot be reached \(E[A-Z_]+\)$/,
    );
    expect(error.hint).toMatch(/spelling of the address|No name server answers/);
  });

  test.skipIf(!isPosix())('connections that are never accepted', async () => {
    await using hole = await startBlackHole();
    await using engines = new Engines();
    const engine = engines.open(`redis://${hole.url.host}`);
    const error = await refusal(engine.put('mcp:a:c', bytes('a'), nobody, false));
    expect(error.applied).toBe('no');
    expect(error.message).toContain('does not answer in time');
  });

  test('a server that reads everything and never answers', async () => {
    await using odd = await OddRedis.start(() => undefined);
    await using engines = new Engines();
    const [reader, writer] = [engines.open(odd.url), engines.open(odd.url)];
    const [read, put] = [reader.get('mcp:a:c'), writer.put('mcp:a:c', bytes('a'), nobody, false)];
    expect((await Promise.all([refusal(read), refusal(put)])).map(({ applied }) => applied)).toEqual([
      'no',
      'maybe',
    ]);
    expect(odd.commands.count(([name]) => name?.toLowerCase() === 'evalsha')).toBe(2);
    await odd.ended.until(() => odd.ended.count() === 2);
  });

  test('Sentinels that are away, or do not know the primary', async () => {
    await using odd = await OddRedis.start(([name]) => (name === 'SENTINEL' ? '*-1\r\n' : '+OK\r\n'));
    await using engines = new Engines();
    const port = await freePort();
    const away = await refusal(engines.open(`redis+sentinel://127.0.0.1:${port}/m`).get('mcp:a:c'));
    expect(describeError(away)).toBe(
      `the store at m of the Sentinels 127.0.0.1:${port} cannot be reached: no Sentinel names a primary: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    expect(away.hint).toContain('that the Sentinels run');
    const unknown = engines.open(odd.url.replace('redis:', 'redis+sentinel:').concat('/m'));
    expect((await refusal(unknown.get('mcp:a:c'))).message).toContain('no Sentinel names a primary');
  });

  test('Sentinels that name a primary at which nobody listens', async () => {
    const port = await freePort();
    const address = `*2\r\n$9\r\n127.0.0.1\r\n$${`${port}`.length}\r\n${port}\r\n`;
    await using odd = await OddRedis.start(([, what]) =>
      what?.startsWith('GET-MASTER') ? address : '*0\r\n',
    );
    await using engines = new Engines();
    const url = odd.url.replace('redis:', 'redis+sentinel:').concat('/m');
    const error = await refusal(engines.open(url).get('mcp:a:c'));
    expect(describeError(error)).toMatch(
      new RegExp(`cannot be reached \\(ECONNREFUSED\\): connect ECONNREFUSED 127\\.0\\.0\\.1:${port}$`),
    );
    expect(error.hint).toContain('The Sentinels name this server');
  });

  test('Sentinels on this machine that name a server elsewhere: not without TLS', async () => {
    const address = '*2\r\n$9\r\n192.0.2.1\r\n$4\r\n6379\r\n';
    await using odd = await OddRedis.start(([, what]) =>
      what?.startsWith('GET-MASTER') ? address : '*0\r\n',
    );
    await using engines = new Engines();
    const engine = engines.open(odd.url.replace('redis:', 'redis+sentinel:').concat('/m'));
    expect((await refusal(engine.get('mcp:a:c'))).message).toContain(
      '192.0.2.1:6379, which is on another machine',
    );
  });

  test.each([
    ['LOADING Redis is loading the dataset in memory', 'no', 'reading its data'],
    ["READONLY You can't write against a read only replica.", 'no', 'a replica'],
    ['NOAUTH Authentication required.', 'no', 'asks for a password'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'no', 'memory is full'],
    ['MISCONF Redis is configured to save RDB snapshots', 'no', 'cannot save'],
    ['NOPERM this user has no permissions to run the command', 'no', 'does not let this user'],
    ['MOVED 3999 127.0.0.1:6381', 'no', 'cluster'],
    ['BUSY Redis is busy running a script', 'no', 'busy'],
    ['ERR upstream failure', 'maybe', 'refused a command (ERR)'],
    ['no upstream host', 'maybe', 'refused a command (ERR)'],
  ])('-%s', async (reply, applied, what) => {
    await using odd = await OddRedis.start(() => `-${reply}\r\n`);
    await using engines = new Engines();
    const error = await refusal(engines.open(odd.url).put('mcp:a:c', bytes('a'), nobody, false));
    expect(error).toMatchObject({ code: 'store_away', applied });
    expect(error.message).toContain(what);
    expect(odd.commands.count()).toBe(1);
  });

  test.each([
    "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  ])('-%s: a wrong address, or with Sentinels a failover', async (reply) => {
    await using odd = await OddRedis.start(([, what]) => {
      if (what?.startsWith('GET-MASTER'))
        return `*2\r\n$9\r\n127.0.0.1\r\n$5\r\n${new URL(odd.url).port}\r\n`;
      return what === 'SENTINELS' ? '*0\r\n' : `-${reply}\r\n`;
    });
    await using engines = new Engines();
    const alone = await refusal(engines.open(odd.url).get('mcp:a:c'));
    expect(alone.hint).toContain('Name the primary');
    const watched = engines.open(odd.url.replace('redis:', 'redis+sentinel:').concat('/m'));
    expect(await refusal(watched.get('mcp:a:c'))).toMatchObject({
      message: expect.stringContaining(`(${reply.split(' ')[0]})`),
      hint: expect.stringContaining('The Sentinels still name this server'),
    });
  });

  test('an unknown script is sent in full once, since nothing ran', async () => {
    await using odd = await OddRedis.start(() => '-NOSCRIPT No matching script.\r\n');
    await using engines = new Engines();
    expect(await refusal(engines.open(odd.url).put('mcp:a:c', bytes('a'), nobody, false))).toMatchObject({
      applied: 'no',
    });
    expect(odd.commands.entries.map(([name]) => name)).toEqual(['EVALSHA', 'EVAL']);
  });
});

describe.skipIf(!hasRedis())('a real engine', () => {
  test('full memory, a replica, and a wrong or missing password', async () => {
    await using full = await RedisServer.start({
      args: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'],
    });
    await using primary = await RedisServer.start();
    await using replica = await RedisServer.start();
    await replica.replicate(primary.port);
    const user = { name: 'store', password: 'right-password', rules: '~* &* +@all' };
    await using closed = await RedisServer.start({ user });
    await closed.call('ACL', 'SETUSER', 'default', 'resetpass', '>other');
    await using engines = new Engines();
    const put = (url: string) => refusal(engines.open(url).put('mcp:a:c', bytes('a'), nobody, false));
    expect(await put(full.url)).toMatchObject({ applied: 'no', message: expect.stringContaining('(OOM)') });
    expect(await put(replica.url)).toMatchObject({
      applied: 'no',
      message: expect.stringContaining('(READONLY)'),
    });
    expect((await refusal(engines.open(replica.url).get('mcp:a:c'))).message).toContain('(READONLY)');
    const wrong = await put(closed.url.replace('right-password', 'wr0ng-canary'));
    expect(wrong).toMatchObject({ applied: 'no', message: expect.stringContaining('(WRONGPASS)') });
    expect(JSON.stringify([wrong, String(wrong.cause), wrong.stack])).not.toContain('wr0ng-canary');
    expect(await put(closed.url.replace(/store:[^@]*@/, ''))).toMatchObject({
      applied: 'no',
      message: expect.stringContaining('(NOAUTH)'),
    });
  });

  test('suspended and back: a put is not sent again, and watchers are notified', async () => {
    await using server = await RedisServer.start();
    await using engines = new Engines();
    const engine = engines.open(server.url);
    const absent = await engine.get('mcp:a:c');
    const heard = new Journal<string>();
    engine.watch('mcp:a:c', () => heard.add('heard'));
    await heard.until(() => heard.count() === 1);
    server.process.suspend();
    expect(await refusal(engine.put('mcp:a:c', bytes('mine'), absent, false))).toMatchObject({
      applied: 'maybe',
    });
    server.process.resume();
    // It ran when the server went on: it was in its buffer.
    const found = await untilAnswered(() => engine.get('mcp:a:c'));
    expect(found.seq).toBe(1);
    await heard.until(() => heard.count() >= 2, { what: 'to be told after the suspension' });
  });

  test('a process that was busy for long reads what has arrived before it times out', async () => {
    await using server = await RedisServer.start();
    await using engines = new Engines();
    const engine = engines.open(server.url);
    const absent = await engine.get('mcp:a:c');
    const put = engine.put('mcp:a:c', bytes('a'), absent, false);
    // The command has left; then nothing runs here for longer than a command may take.
    await new Promise(setImmediate);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, COMMAND_MS + 500);
    expect((await put).kind).toBe('written');
  });

  test('killed and back: recovers by itself', async () => {
    await using server = await RedisServer.start({ keepsData: true });
    await using engines = new Engines();
    const engine = engines.open(server.url);
    const absent = await engine.get('mcp:a:c');
    await engine.put('mcp:a:c', bytes('a'), absent, false);
    await server.kill();
    await refusal(engine.get('mcp:a:c'));
    await server.process.start();
    expect((await untilAnswered(() => engine.get('mcp:a:c'))).seq).toBe(1);
  });

  test('a primary that loses its connections in mid-command', async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using engines = new Engines();
    const engine = engines.open(`redis://127.0.0.1:${proxy.port}`);
    const heard = new Journal<string>();
    engine.watch('mcp:a:c', () => heard.add('heard'));
    for (let turn = 1; turn <= 3; turn++) {
      await heard.until(() => heard.count() >= turn);
      proxy.cut();
    }
    await heard.until(() => heard.count() >= 4);
    expect((await untilAnswered(() => engine.get('mcp:a:c'))).seq).toBe(0);
  });

  test('Sentinels, of which one is dead and one silent', async () => {
    await using redis = await WatchedRedis.start();
    await using engines = new Engines();
    await redis.sentinels[0]?.process.kill();
    const engine = engines.open(redis.url);
    const put = await engine.put('mcp:a:c', bytes('a'), await engine.get('mcp:a:c'), false);
    expect(put.kind).toBe('written');
    expect(await engine.isPrimary(2_000)).toBe(true);
    redis.sentinels[1]?.process.suspend();
    // One of three is no majority, whatever it says.
    expect(await engine.isPrimary(1_000)).toBe(false);
    redis.sentinels[1]?.process.resume();
    // One is named, and it knows the others.
    const [, , third] = redis.sentinels;
    const short = engines.open(`redis+sentinel://127.0.0.1:${third?.port}/${redis.name}`);
    await short.get('mcp:a:c');
    expect(await short.isPrimary(2_000)).toBe(true);
  });

  test('a certificate for another name, of an unknown authority, and none', async () => {
    const authority = await createAuthority('store');
    const other = await createAuthority('another');
    const tls = { ...(await authority.issue({ hosts: ['store.example'] })), authority: authority.pem };
    await using server = await RedisServer.start({ tls });
    const strange = { ...(await other.issue()), authority: other.pem };
    await using unknown = await RedisServer.start({ tls: strange });
    await using engines = new Engines();
    const name = await refusal(engines.open(server.url).get('mcp:a:c'));
    expect(name).toMatchObject({ code: 'store_away', applied: 'no' });
    expect(name.message).toContain('a certificate that is not accepted (ERR_TLS_CERT_ALTNAME_INVALID)');
    const nobodys = await refusal(engines.open(unknown.url.replace(/\?.*/, '')).get('mcp:a:c'));
    expect(nobodys.message).toContain('a certificate that is not accepted');
    expect(nobodys.hint).toContain('?ca=');
    const plain = await refusal(
      engines.open(unknown.url.replace('rediss:', 'redis:').replace(/\?.*/, '')).get('mcp:a:c'),
    );
    expect(plain.code).toBe('store_away');
  });

  test('a server that asks for a certificate gets the one in the address', async () => {
    const authority = await createAuthority('store');
    const tls = { ...(await authority.issue()), authority: authority.pem, asksForCertificate: true };
    await using server = await RedisServer.start({ tls });
    await using engines = new Engines();
    await refusal(engines.open(server.url).get('mcp:a:c'));
    const file = (name: string) => encodeURIComponent(`${server.folder}/${name}`);
    const own = `${server.url}&cert=${file('cert.pem')}&key=${file('key.pem')}`;
    expect((await engines.open(own).get('mcp:a:c')).seq).toBe(0);
    expect(() => engines.open(`${server.url}&cert=${file('ca.pem')}&key=${file('ca.pem')}`)).toThrow(
      /key= in the address of the store contains no private key/,
    );
  });
});

describe('a hostile server', () => {
  test('gets no password with a certificate for another name', async () => {
    const authority = await createAuthority('store');
    const identity = await authority.issue({ hosts: ['store.example'] });
    await using odd = await OddRedis.start(() => '+OK\r\n', identity);
    await using folder = await TemporaryHome.create();
    const ca = join(folder.folder, 'ca.pem');
    await writeFile(ca, authority.pem);
    await using engines = new Engines();
    const url = odd.url
      .replace('rediss://', 'rediss://user:canary-password@')
      .concat(`?ca=${encodeURIComponent(ca)}`);
    const error = await refusal(engines.open(url).put('mcp:a:c', bytes('a'), nobody, false));
    expect(error).toMatchObject({
      applied: 'no',
      message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
    expect(odd.commands.entries).toEqual([]);
  });

  const big = new Uint8Array(64 * 1024).fill(120);

  test.each([
    ['a text of 512 MB', '$536870912\r\n'],
    ['the same within an answer', '*7\r\n:0\r\n$536870912\r\n'],
    ['a status without end', '+'],
    ['an array without end', '*536870912\r\n'],
    ['a number without end', ':'],
  ])("%s: the connection ends after what is in the system's buffers", async (_, begin) => {
    await using odd = await OddRedis.start(() => flood(begin, big));
    await using engines = new Engines();
    const error = await refusal(engines.open(odd.url).get('mcp:a:c'));
    expect(error.message).toContain('sent ');
    await odd.ended.until(() => odd.ended.count() >= 1);
    expect(Math.max(...odd.ended.entries)).toBeLessThan(16 * 1024 * 1024);
  });

  test.each([
    ['arrays in arrays', '*1\r\n'.repeat(100_000)],
    ['an array of more elements than there can be', '*99999999999\r\n'],
    ['not RESP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['two answers to one question', '+OK\r\n+OK\r\n'],
    ['a text where an array is asked for', '$2\r\nok\r\n'],
    ['numbers that are none', '*7\r\n:0\r\n$1\r\nx\r\n$0\r\n\r\n$1\r\n1\r\n$-1\r\n$0\r\n\r\n$0\r\n\r\n'],
    ['arrays instead of texts', '*7\r\n:0\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n'],
    ['nothing', '*-1\r\n'],
  ])('%s', async (_, answer) => {
    await using odd = await OddRedis.start(() => answer);
    await using engines = new Engines();
    const engine = engines.open(odd.url);
    expect(await refusal(engine.put('mcp:a:c', bytes('a'), nobody, false))).toMatchObject({
      applied: 'maybe',
    });
    await refusal(engine.describe());
  });

  test.each([
    ['an empty array', '*0\r\n'],
    ['nobody’s message', '*3\r\n$7\r\nmessage\r\n$-1\r\n$-1\r\n'],
    ['an array of nothing', '*1\r\n$-1\r\n'],
    ['a number', ':1\r\n'],
    ['a confirmation without a channel', '*3\r\n$9\r\nsubscribe\r\n$-1\r\n:1\r\n'],
  ])('as the response to a subscription: %s', async (_, answer) => {
    await using odd = await OddRedis.start(() => answer);
    await using engines = new Engines();
    engines.open(odd.url).watch('mcp:a:c', () => undefined);
    await odd.ended.until(() => odd.ended.count() >= 2, {
      what: 'the connection to be given up, and another one',
    });
  });

  test('messages on other channels, and many on the right one', async () => {
    const message = (channel: string) =>
      `*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$1\r\n1\r\n`;
    const answer = '*3\r\n$9\r\nsubscribe\r\n$7\r\nmcp:a:c\r\n:1\r\n';
    await using odd = await OddRedis.start(
      () => answer + message('__proto__') + message('mcp:a:c').repeat(5),
    );
    await using engines = new Engines();
    const heard = new Journal<string>();
    engines.open(odd.url).watch('mcp:a:c', () => heard.add('heard'));
    await heard.until(() => heard.count() === 6);
  });
});

/** Until the engine is back, which takes no longer than its longest pause. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreAwayError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
