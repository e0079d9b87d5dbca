import { RedisServer } from '../../peers/redis/redis-server.ts';
import { ProxyForEach } from './proxies.ts';
import { untilServed } from './steps.ts';
import { FleetWorld } from './world.ts';

export interface AwayFigures {
  readonly servedWhileFresh: number;
  readonly failedWhileFresh: number;
  /** Host and port, as an error has to name them. */
  readonly place: string;
  /** How a call with a revoked token ended, and when. */
  readonly told: string;
  readonly toldAfterMs: number;
  /** How the first call of an instance ended that was started meanwhile. */
  readonly coldStart: string;
  /** From the moment at which the engine took connections again. */
  readonly healedAfterMs: number;
  readonly browsers: number;
  readonly refreshPosts: number;
  readonly replays: number;
}

const INSTANCES = 4;
const TURN_MS = 1_000;

/** Nobody reaches the engine for so long: first the token is fresh, for the last quarter of that time it is revoked. */
export async function away(forMs: number, tell: (text: string) => void): Promise<AwayFigures> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using way = new ProxyForEach(new URL(engine.url));
  const port = await way.listen();
  await using world = await FleetWorld.create({ url: `redis://127.0.0.1:${port}`, enginePorts: [port] });
  await world.signIn();
  const instances = Array.from({ length: INSTANCES }, () => world.start());
  for (const instance of instances) {
    const end = await instance.call();
    if (end.kind !== 'served') throw new Error(JSON.stringify(end));
  }
  await way.leave();
  const leftAt = performance.now();
  let [servedWhileFresh, failedWhileFresh] = [0, 0];
  while (performance.now() - leftAt < forMs * 0.75) {
    for (const { kind } of await Promise.all(instances.map((one) => one.call()))) {
      if (kind === 'served') servedWhileFresh++;
      else failedWhileFresh++;
    }
    tell(`away for ${Math.round((performance.now() - leftAt) / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
  world.authority.tokens.revokeAll();
  const askedAt = performance.now();
  const [first] = await Promise.all(instances.map((one) => one.call()));
  const toldAfterMs = performance.now() - askedAt;
  const cold = world.start();
  const coldEnd = await cold.call();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, forMs - (performance.now() - leftAt))));
  await way.listen();
  const backAt = performance.now();
  const ends = await Promise.all([...instances, cold].map((one) => untilServed(one, 180_000)));
  const healedAfterMs = performance.now() - backAt;
  const unserved = ends.find(({ kind }) => kind !== 'served');
  if (unserved !== undefined) throw new Error(`not healed: ${JSON.stringify(unserved)}`);
  return {
    servedWhileFresh,
    failedWhileFresh,
    place: `127.0.0.1:${port}`,
    told: first?.kind === 'failed' ? first.why : String(first?.kind),
    toldAfterMs,
    coldStart: coldEnd.kind === 'failed' ? coldEnd.why : coldEnd.kind,
    healedAfterMs,
    browsers: world.browser.opened.length - world.signIns,
    refreshPosts: world.authority.counters.refreshPosts,
    replays: world.authority.counters.replays,
  };
}
