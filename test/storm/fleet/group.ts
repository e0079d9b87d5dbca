import { RedisServer } from '../../peers/redis/redis-server.ts';
import { Sentinel } from '../../peers/redis/sentinels.ts';

const NAME = 'fleet';
const SENTINELS = 3;
/** A failover takes two to three seconds, on a busy machine more. */
const PATIENCE_MS = 60_000;

/** A primary, a replica and three Sentinels, that fail over again and again. */
export class RedisGroup implements AsyncDisposable {
  readonly #sentinels: readonly Sentinel[];
  #primary: RedisServer;
  #replica: RedisServer;

  private constructor(primary: RedisServer, replica: RedisServer, sentinels: readonly Sentinel[]) {
    this.#primary = primary;
    this.#replica = replica;
    this.#sentinels = sentinels;
  }

  static async start(): Promise<RedisGroup> {
    const [primary, replica] = await Promise.all([
      RedisServer.start({ keepsData: true }),
      RedisServer.start({ keepsData: true }),
    ]);
    await replica.replicate(primary.port);
    const sentinels = await Promise.all(
      Array.from({ length: SENTINELS }, () => Sentinel.start(primary, { name: NAME, quorum: 2 })),
    );
    const group = new RedisGroup(primary, replica, sentinels);
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

  /** What is written from now on reaches no replica. */
  async cutReplication(): Promise<void> {
    await this.#replica.call('REPLICAOF', '127.0.0.1', '1');
  }

  /** The Sentinels and the replica do without the primary from now on; programs that are connected to it do not notice. */
  async isolate(): Promise<void> {
    // Sentinels believe only what answers PING.
    await this.#primary.call('ACL', 'SETUSER', 'default', '-ping');
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
  }

  /** The other server is the primary's replica again, and has all that it has. */
  async heal(): Promise<void> {
    const other = this.#replica;
    const isThere = await Promise.race([other.call('ECHO', 'there'), pause(1_000)]).catch(() => undefined);
    if (isThere !== 'there') await other.restart();
    await other.call('ACL', 'SETUSER', 'default', '+ping');
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [...this.#sentinels, this.#primary, this.#replica]) await each[Symbol.asyncDispose]();
  }
}

const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(resolve, ms, undefined));

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(50);
  }
}
