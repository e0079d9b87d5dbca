import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'iovalkey';
import { freePort } from '../net/listening.ts';
import { RedisProcess } from './redis-process.ts';
import { RedisServer, type RedisServerOptions } from './redis-server.ts';

/** After this much silence a Sentinel counts a server as down. */
const DOWN_AFTER_MS = 500;

/** One Sentinel, on a free port. */
export class Sentinel implements AsyncDisposable {
  readonly port: number;
  readonly process: RedisProcess;
  readonly #folder: string;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    this.process = new RedisProcess('sentinel', [join(folder, 'sentinel.conf')], /\+monitor master/);
  }

  static async start(name: string, primaryPort: number, quorum: number): Promise<Sentinel> {
    const folder = await mkdtemp(join(tmpdir(), 'sentinel-'));
    const sentinel = new Sentinel(await freePort(), folder);
    const settings = [
      `port ${sentinel.port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${quorum}`,
      `sentinel down-after-milliseconds ${name} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${name} 3000`,
    ];
    await writeFile(join(folder, 'sentinel.conf'), `${settings.join('\n')}\n`);
    await sentinel.process.start();
    return sentinel;
  }

  /** One question, on a connection for it. */
  async ask(...words: string[]): Promise<unknown> {
    const client = new Redis({ port: this.port, host: '127.0.0.1', enableReadyCheck: false });
    client.on('error', () => undefined);
    try {
      return await client.call('SENTINEL', ...words);
    } finally {
      client.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A primary, a replica and three Sentinels that know each other. */
export class WatchedRedis implements AsyncDisposable {
  readonly name = 'mymaster';
  readonly servers: readonly [RedisServer, RedisServer];
  readonly sentinels: readonly Sentinel[];

  private constructor(servers: readonly [RedisServer, RedisServer], sentinels: readonly Sentinel[]) {
    this.servers = servers;
    this.sentinels = sentinels;
  }

  static async start(options: RedisServerOptions = {}): Promise<WatchedRedis> {
    const [primary, replica] = await Promise.all([RedisServer.start(options), RedisServer.start(options)]);
    await replica.replicate(primary.port);
    const sentinels = await Promise.all([1, 2, 3].map(() => Sentinel.start('mymaster', primary.port, 2)));
    const all = new WatchedRedis([primary, replica], sentinels);
    await all.#untilKnown();
    return all;
  }

  get url(): string {
    return `redis+sentinel://${this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${this.name}`;
  }

  /** The port of the primary, by the word of the first Sentinel. */
  async primaryPort(): Promise<number> {
    const [sentinel] = this.sentinels;
    const address = await sentinel?.ask('GET-MASTER-ADDR-BY-NAME', this.name);
    return Number((address as [string, string] | undefined)?.[1]);
  }

  /** What is written from now on reaches no replica. */
  async cutReplication(): Promise<void> {
    await this.servers[1].call('REPLICAOF', '127.0.0.1', '1');
  }

  /** `kill -9` of the primary; resolves when all Sentinels name the other. */
  async failOver(): Promise<void> {
    const marks = this.sentinels.map(({ process }) => process.log.entries.length);
    await this.servers[0].kill();
    await Promise.all(
      this.sentinels.map(({ process }, at) =>
        process.log.waitFor((line) => line.includes('+switch-master'), {
          from: marks[at] ?? 0,
          timeoutMs: 20_000,
        }),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [...this.sentinels, ...this.servers]) await each[Symbol.asyncDispose]();
  }

  async #untilKnown(): Promise<void> {
    const knows = ({ process }: Sentinel) =>
      process.log.until(
        () =>
          process.log.count((line) => line.includes('+sentinel sentinel')) >= this.sentinels.length - 1 &&
          process.log.count((line) => line.includes('+slave slave')) > 0,
      );
    await Promise.all(this.sentinels.map(knows));
  }
}
