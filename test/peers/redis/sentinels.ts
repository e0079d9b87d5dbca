import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'iovalkey';
import { freePort } from '../net/listening.ts';
import { RedisProcess } from './redis-process.ts';
import { RedisServer, type RedisServerOptions } from './redis-server.ts';

/** After this much silence a Sentinel counts a server as down. A replica whose link to its primary was down for ten times as long takes nothing over. */
const DOWN_AFTER_MS = 500;
/** A step of a failover has as much time; the next one begins after twice of it. */
const FAILOVER_MS = 1_000;

/** The password by which Sentinels know each other, where they have one. */
const AMONG_THEM = 'among-sentinels';

/** Nobody gets an answer without a password; this user may ask what a store asks. */
function withPasswords({ name, password }: NonNullable<RedisServerOptions['user']>): string[] {
  const asks = ['get-master-addr-by-name', 'sentinels', 'myid'].map((what) => `+sentinel|${what}`);
  return [
    `requirepass ${AMONG_THEM}`,
    `sentinel sentinel-pass ${AMONG_THEM}`,
    `user ${name} on >${password} -@all +auth +ping ${asks.join(' ')}`,
  ];
}

interface Accounts {
  readonly tls?: RedisServerOptions['tls'] | undefined;
  readonly user?: RedisServerOptions['user'] | undefined;
}

interface SentinelOptions extends Accounts {
  readonly name: string;
  readonly quorum: number;
  readonly downAfterMs?: number;
}

/** One Sentinel, on a free port; over TLS with the files of the primary. */
export class Sentinel implements AsyncDisposable {
  readonly port: number;
  readonly process: RedisProcess;
  readonly #folder: string;
  readonly #options: Accounts;

  private constructor(port: number, folder: string, options: Accounts) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
    this.process = new RedisProcess('sentinel', [join(folder, 'sentinel.conf')], /\+monitor master/);
  }

  static async start(primary: RedisServer, options: SentinelOptions): Promise<Sentinel> {
    const { name, quorum, downAfterMs = DOWN_AFTER_MS, tls, user } = options;
    const folder = await mkdtemp(join(tmpdir(), 'sentinel-'));
    const sentinel = new Sentinel(await freePort(), folder, { tls, user });
    const inPrimary = (file: string) => join(primary.folder, file);
    const files = [
      `tls-cert-file ${inPrimary('cert.pem')}`,
      `tls-key-file ${inPrimary('key.pem')}`,
      `tls-ca-cert-file ${inPrimary('ca.pem')}`,
    ];
    const settings = [
      ...(tls === undefined
        ? [`port ${sentinel.port}`]
        : ['port 0', `tls-port ${sentinel.port}`, 'tls-replication yes', 'tls-auth-clients no', ...files]),
      ...(user === undefined ? [] : withPasswords(user)),
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${primary.port} ${quorum}`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
      `sentinel failover-timeout ${name} ${FAILOVER_MS}`,
    ];
    await writeFile(join(folder, 'sentinel.conf'), `${settings.join('\n')}\n`);
    await sentinel.process.start();
    return sentinel;
  }

  /** One question, on a connection for it. */
  async ask(...words: string[]): Promise<unknown> {
    const { tls, user } = this.#options;
    const client = new Redis({
      port: this.port,
      host: '127.0.0.1',
      enableReadyCheck: false,
      ...(tls && { tls: { ca: tls.authority } }),
      ...(user && { password: AMONG_THEM }),
    });
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

/** Two servers, one of them the primary at a time, and three Sentinels that know each other. */
export class WatchedRedis implements AsyncDisposable {
  readonly name = 'mymaster';
  readonly servers: readonly [RedisServer, RedisServer];
  readonly sentinels: readonly Sentinel[];

  private constructor(servers: readonly [RedisServer, RedisServer], sentinels: readonly Sentinel[]) {
    this.servers = servers;
    this.sentinels = sentinels;
  }

  static async start(options: RedisServerOptions = {}): Promise<WatchedRedis> {
    const { tls, user, args = [] } = options;
    const own = tls === undefined ? options : { ...options, args: ['--tls-replication', 'yes', ...args] };
    const [primary, replica] = await Promise.all([RedisServer.start(own), RedisServer.start(own)]);
    await replica.replicate(primary.port);
    const of: SentinelOptions = { name: 'mymaster', quorum: 2, tls, user };
    const sentinels = await Promise.all([1, 2, 3].map(() => Sentinel.start(primary, of)));
    const all = new WatchedRedis([primary, replica], sentinels);
    await all.#untilKnown();
    return all;
  }

  get url(): string {
    const [, scheme, account = '', query = ''] =
      /^(rediss?):\/\/([^@]*@)?[^?]*(\?.*)?$/.exec(this.servers[0].url) ?? [];
    const hosts = this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return `${scheme}+sentinel://${account}${hosts}/${this.name}${query}`;
  }

  /** The port of the primary, by the word of the first Sentinel. */
  async primaryPort(): Promise<number> {
    const [sentinel] = this.sentinels;
    const address = await sentinel?.ask('GET-MASTER-ADDR-BY-NAME', this.name);
    return Number((address as [string, string] | undefined)?.[1]);
  }

  /** What is written from now on reaches no replica. */
  async cutReplication(): Promise<void> {
    const port = await this.primaryPort();
    const replica = this.servers.find((server) => server.port !== port);
    await replica?.call('REPLICAOF', '127.0.0.1', '1');
  }

  /** `kill -9` of the primary; resolves with it when all Sentinels name the other. */
  async failOver(): Promise<RedisServer> {
    const port = await this.primaryPort();
    const primary = this.servers.find((server) => server.port === port);
    if (primary === undefined) throw new Error(`no server has the port ${port}`);
    const marks = this.sentinels.map(({ process }) => process.log.entries.length);
    await primary.kill();
    const switched = ({ process }: Sentinel, at: number) =>
      process.log.waitFor((line) => line.includes('+switch-master'), {
        from: marks[at] ?? 0,
        timeoutMs: 20_000,
      });
    await Promise.all(this.sentinels.map(switched));
    return primary;
  }

  /** Starts a server that was killed, as a replica of the other: Sentinels would see to it within ten seconds. */
  async revive(server: RedisServer): Promise<void> {
    await server.restart();
    await server.replicate(await this.primaryPort());
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
