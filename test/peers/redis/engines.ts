import { systemClock } from '../../../src/platform/clock.ts';
import { systemDial } from '../../../src/platform/dial.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { type OpenTools, openRedisEngine } from '../../../src/store/redis/open.ts';
import type { RedisEngine } from '../../../src/store/redis/redis-engine.ts';

/** Everything that an engine needs of the machine. */
export const engineTools = { clock: systemClock, dial: systemDial, random: systemRandom, env: process.env };

/** Engines on these addresses, closed at the end of a test. */
export class Engines implements AsyncDisposable {
  readonly #engines: RedisEngine[] = [];

  open(url: string, tools: Partial<OpenTools> = {}): RedisEngine {
    const engine = openRedisEngine(url, { ...engineTools, ...tools });
    this.#engines.push(engine);
    return engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines) await engine.close();
  }
}
