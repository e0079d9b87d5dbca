import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'iovalkey';
import type { Figures } from '../figures.ts';
import type { Subject } from '../links/link.ts';
import { callsPerSecond, openSession } from './calls.ts';
import { memoryOf } from './process-figures.ts';

/** What a process still does after its last answer is over by then. */
const SETTLE_MS = 1_500;

/** Memory of the bridge at rest, and with an engine the operations that it asks of it while it serves `calls`. */
export async function measureRest(subject: Subject, calls: number, engine?: number): Promise<Figures> {
  await using link = await openSession(subject);
  if (link.pid === undefined) throw new Error('without a bridge, nothing rests');
  await pause(SETTLE_MS);
  const memory = memoryOf(link.pid).nowMb;
  if (engine === undefined) return { memory };
  const redis = new Redis({ port: engine, host: '127.0.0.1' });
  const before = await scriptsRun(redis);
  await callsPerSecond(link, calls, 1);
  const operations = (await scriptsRun(redis)) - before;
  redis.disconnect();
  return { memory, operations };
}

/** Each operation of a store is one run of its script. */
async function scriptsRun(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats');
  return [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}
