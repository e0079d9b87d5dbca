import { quantile } from '../../../helpers/quantile.ts';
import { RedisServer } from '../../../peers/redis/redis-server.ts';
import type { Instance } from '../../instance.ts';
import type { Row, Scale } from '../../rows.ts';
import { FleetWorld } from '../world.ts';
import { milliseconds, pause, type Tell, unless } from './step-row.ts';

/** After a logout no machine uses the token for longer. */
const MOST_MS = 1_000;
const BETWEEN_CALLS_MS = 20;

/**
 * Calls until one sends no token any more, and resolves with when the last request with one arrived, in milliseconds after `since`; 0: there was none.
 * Throws where a call is served.
 */
export async function dropsToken(world: FleetWorld, instance: Instance, since: number): Promise<number> {
  const { requests } = world.server;
  let lastMs = 0;
  for (;;) {
    const from = requests.entries.length;
    const end = await instance.call();
    if (end.kind !== 'failed') throw new Error(`after the logout a call was ${end.kind}`);
    const sent = requests.entries
      .slice(from)
      .some(
        ({ headers }) =>
          headers['x-instance'] === String(instance.number) && headers.authorization !== undefined,
      );
    if (!sent) return lastMs;
    lastMs = performance.now() - since;
    await pause(BETWEEN_CALLS_MS);
  }
}

/** Signs in, lets every instance be served, and logs out at another machine, again and again. */
export async function logoutRow({ instances, runs }: Scale, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port] });
  const rounds = Math.ceil(runs / 10);
  const started = Array.from({ length: instances }, () => world.start());
  const times: number[] = [];
  const failed: string[] = [];
  for (let round = 0; round < rounds; round++) {
    tell(`logout ${round + 1} of ${rounds}`);
    await world.signIn();
    for (const instance of started) {
      const end = await instance.call();
      if (end.kind !== 'served') failed.push(`${end.kind}: ${'why' in end ? end.why : ''}`);
    }
    await world.logOut();
    const endedAt = performance.now();
    times.push(...(await Promise.all(started.map((each) => dropsToken(world, each, endedAt)))));
  }
  const slowest = Math.max(...times);
  return {
    what: `${instances} instances on 4 machines, ${rounds} times logout on one of them`,
    figures: {
      'dropped the token p50': milliseconds(quantile(times, 0.5)),
      'dropped the token p99': milliseconds(quantile(times, 0.99)),
      'at most': milliseconds(slowest),
      'used it after the command had ended': times.filter((each) => each > 0).length,
      'not served after a sign-in': failed.length,
      browsers: world.browser.opened.length - world.signIns,
    },
    missed: [
      ...unless(slowest <= MOST_MS, `every instance drops it within ${milliseconds(MOST_MS)}`),
      ...unless(failed.length === 0, `all are served after a sign-in (${failed[0]})`),
      ...unless(world.browser.opened.length === world.signIns, 'no browser'),
    ],
  };
}
