import { freePort } from '../../peers/net/listening.ts';
import { OddRedis } from '../../peers/redis/odd-redis.ts';

/**
 * A Sentinel that knows the real ones, names the primary as they do, and has no vote. When a network comes apart it is alone on its side: it goes on
 * naming the old primary, and nobody there reaches the others.
 */
export class MinoritySentinel implements AsyncDisposable {
  isAlone = false;
  named: number;
  readonly #redis: OddRedis;

  private constructor(redis: OddRedis, named: number) {
    this.#redis = redis;
    this.named = named;
  }

  static async start(name: string, named: number, others: readonly number[]): Promise<MinoritySentinel> {
    const nobody = await freePort();
    const redis = await OddRedis.start(() => undefined);
    const sentinel = new MinoritySentinel(redis, named);
    redis.answer = ([command = '', what = '', of = '']) => {
      if (/^ping$/i.test(command)) return '+PONG\r\n';
      if (!/^sentinel$/i.test(command)) return '-ERR unknown command\r\n';
      if (/^myid$/i.test(what)) return bulk('0'.repeat(40));
      if (of !== name) return '-ERR No such master with that name\r\n';
      if (/^get-master-addr-by-name$/i.test(what))
        return array(['127.0.0.1', String(sentinel.named)].map(bulk));
      if (!/^sentinels$/i.test(what)) return '-ERR unknown subcommand\r\n';
      const entries = others.map((port, n) => {
        const reached = String(sentinel.isAlone ? nobody : port);
        return array(['ip', '127.0.0.1', 'port', reached, 'runid', String(n + 1).repeat(40)].map(bulk));
      });
      return array(entries);
    };
    return sentinel;
  }

  get port(): number {
    return Number(new URL(this.#redis.url).port);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#redis[Symbol.asyncDispose]();
  }
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const array = (parts: readonly string[]) => `*${parts.length}\r\n${parts.join('')}`;
