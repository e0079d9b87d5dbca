import { RedisServer } from '../../peers/redis/redis-server.ts';
import { Sentinel } from '../../peers/redis/sentinels.ts';
import { MinoritySentinel } from './minority-sentinel.ts';

const NAME = 'fleet';
const SENTINELS = 3;
/** The replica may hear nothing for ten times as long, and is made primary nevertheless. */
const DOWN_AFTER_MS = 2_000;
/** A failover takes four to five seconds, on a busy machine more. */
const PATIENCE_MS = 120_000;

const SENTINELS_NEED = ['ping', 'multi', 'slaveof', 'replicaof', 'config', 'client|kill'];

/** A primary, a replica and three Sentinels, that fail over again and again. */
export class RedisGroup implements AsyncDisposable {
  /** The one that remains on the side of a primary that the others do without. */
  readonly minority: MinoritySentinel;
  readonly #sentinels: readonly Sentinel[];
  #primary: RedisServer;
  #replica: RedisServer;
  /** By cell, one less than the number with which it was first seen. */
  readonly #firstNumbers = new Map<string, number>();

  private constructor(
    primary: RedisServer,
    replica: RedisServer,
    sentinels: readonly Sentinel[],
    minority: MinoritySentinel,
  ) {
    this.#primary = primary;
    this.#replica = replica;
    this.#sentinels = sentinels;
    this.minority = minority;
  }

  /** `replicaAheadMs`: the replica's clock is ahead by so much. */
  static async start({ replicaAheadMs = 0 } = {}): Promise<RedisGroup> {
    const [primary, replica] = await Promise.all([
      RedisServer.start({ keepsData: true }),
      RedisServer.start({
        keepsData: true,
        ...(replicaAheadMs === 0 ? {} : { aheadMs: replicaAheadMs }),
      }),
    ]);
    await replica.replicate(primary.port);
    const sentinels = await Promise.all(
      Array.from({ length: SENTINELS }, () =>
        Sentinel.start(primary, { name: NAME, quorum: 2, downAfterMs: DOWN_AFTER_MS }),
      ),
    );
    const minority = await MinoritySentinel.start(
      NAME,
      primary.port,
      sentinels.map(({ port }) => port),
    );
    const group = new RedisGroup(primary, replica, sentinels, minority);
    await group.#known();
    return group;
  }

  get primary(): RedisServer {
    return this.#primary;
  }

  /** Both may be the primary some day. */
  get ports(): readonly number[] {
    return [this.#primary.port, this.#replica.port];
  }

  get url(): string {
    return `redis+sentinel://${this.#sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`;
  }

  /** Of programs that are on the side of the primary when it is isolated. */
  get minorityUrl(): string {
    return `redis+sentinel://127.0.0.1:${this.minority.port}/${NAME}`;
  }

  /** The time of the primary, in milliseconds. */
  async clock(): Promise<number> {
    const [s, us] = (await this.#primary.call('TIME')) as [string, string];
    return Number(s) * 1000 + Number(us) / 1000;
  }

  /** How many puts the primary has taken that the other server has not. */
  async putsAhead(): Promise<number> {
    return (await this.#putsOf(this.#primary)) - (await this.#putsOf(this.#replica));
  }

  /** What is written from now on reaches no replica. */
  async cutReplication(): Promise<void> {
    await this.#replica.call('REPLICAOF', '127.0.0.1', '1');
  }

  /**
   * The Sentinels and the replica do without the primary from now on; programs that are connected to it do not notice, and those on its side find
   * it as before.
   */
  async isolate(): Promise<void> {
    this.minority.isAlone = true;
    // Sentinels believe only what answers PING. They go on sending commands by which it would become a replica.
    await this.#primary.call('ACL', 'SETUSER', 'default', ...SENTINELS_NEED.map((word) => `-${word}`));
    await this.cutReplication();
  }

  /** Waits until the Sentinels have made the replica primary, and calls it so. */
  async promoted(): Promise<void> {
    const { port } = this.#replica;
    await until(async () => {
      const named = await Promise.all(this.#sentinels.map((one) => one.ask('GET-MASTER-ADDR-BY-NAME', NAME)));
      return named.every((address) => Number((address as [string, string] | null)?.[1]) === port);
    }, 'a new primary');
    await until(async () => (await this.#replica.info('role')) === 'master', 'its role');
    [this.#primary, this.#replica] = [this.#replica, this.#primary];
    if (!this.minority.isAlone) this.minority.named = this.#primary.port;
  }

  /** The Sentinels reach the isolated primary again, and make it the replica of the other: what it has taken meanwhile is gone. */
  async rejoin(): Promise<void> {
    if ((await this.#replica.info('role')) !== 'master')
      throw new Error('there were no two primaries to the end');
    this.minority.isAlone = false;
    this.minority.named = this.#primary.port;
    await this.#replica.call('ACL', 'SETUSER', 'default', '+@all');
    await until(
      async () =>
        (await this.#replica.info('role')) === 'slave' &&
        (await this.#replica.info('master_link_status')) === 'up',
      'the old primary as a replica',
    );
    await this.#known();
  }

  /** The connections of programs to each of the two: first to the primary. */
  async programs(): Promise<readonly [number, number]> {
    return [await programsOf(this.#primary), await programsOf(this.#replica)];
  }

  /** Of each of the two, the puts that it has taken: first of the primary. */
  async puts(): Promise<readonly [number, number]> {
    return [await this.#putsOf(this.#primary), await this.#putsOf(this.#replica)];
  }

  /** The other server is the primary's replica again, and has all that it has. */
  async heal(): Promise<void> {
    const other = this.#replica;
    const isThere = await Promise.race([other.call('ECHO', 'there'), pause(1_000)]).catch(() => undefined);
    if (isThere !== 'there') await other.restart();
    await other.replicate(this.#primary.port);
    await this.#known();
  }

  /** Every Sentinel knows the replica and the two others, and finds nothing wrong. */
  async #known(): Promise<void> {
    for (const sentinel of this.#sentinels) {
      await until(async () => {
        const fields = (await sentinel.ask('MASTER', NAME)) as string[];
        const value = (name: string) => fields[fields.indexOf(name) + 1];
        return (
          value('num-slaves') === '1' && value('num-other-sentinels') === '2' && value('flags') === 'master'
        );
      }, 'the Sentinels');
    }
  }

  /** Each put makes the number of its cell one more. Both servers count from where a cell was first seen. */
  async #putsOf(server: RedisServer): Promise<number> {
    const cells = (await server.call('KEYS', '*')) as string[];
    const counts = cells.map(async (cell) => {
      const number = Number(await server.call('HGET', cell, 's'));
      const first = this.#firstNumbers.get(cell) ?? number - 1;
      this.#firstNumbers.set(cell, first);
      return number - first;
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [...this.#sentinels, this.#primary, this.#replica, this.minority])
      await each[Symbol.asyncDispose]();
  }
}

/** Of the clients, those whose last command was one of the store's; a Sentinel subscribes to one channel, and publishes. */
async function programsOf(server: RedisServer): Promise<number> {
  const clients = String(await server.call('CLIENT', 'LIST')).split('\n');
  return clients.filter(
    (one) => / cmd=(evalsha|eval|wait|subscribe|ping) /.test(one) && !/ name=sentinel/.test(one),
  ).length;
}

const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(resolve, ms, undefined));

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(50);
  }
}
