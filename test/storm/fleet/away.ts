import { RedisServer } from '../../peers/redis/redis-server.ts';
import type { CallEnd, Instance } from '../instance.ts';
import { ProxyForEach } from './proxies.ts';
import { untilServed } from './steps.ts';
import { FleetWorld } from './world.ts';

export interface AwayFigures {
  readonly servedWhileFresh: number;
  /** Why they failed. */
  readonly failedWhileFresh: readonly string[];
  /** Host and port, as an error has to name them. */
  readonly place: string;
  /** Calls after the token had ended, and those of them that did not end with an error that names the place. */
  readonly told: number;
  readonly toldOtherwise: readonly string[];
  /** The slowest of them. */
  readonly toldAfterMs: number;
  /** How the first call of an instance ended that was started meanwhile. */
  readonly coldStart: string;
  /** From the moment at which the engine took connections again, until all instances were served that had been served before. */
  readonly healedAfterMs: number;
  /** The same, for the instance that was started while the engine was away. */
  readonly coldHealedAfterMs: number;
  /** The slowest error while the engine answered nothing, those calls that did not end with it, and how long it took to be served afterwards. */
  readonly silentToldAfterMs: number;
  readonly silentToldOtherwise: readonly string[];
  readonly silentHealedAfterMs: number;
  readonly browsers: number;
  readonly refreshPosts: number;
  readonly replays: number;
}

const INSTANCES = 4;
const TURN_MS = 1_000;
const SILENT_TURNS = 5;
/** Of that time the token lives for so much. */
const FRESH_SHARE = 0.75;
/** A call that is sent so shortly before the token ends may come after it. */
const ON_ITS_WAY_MS = 2_000;

/** Nobody reaches the engine for so long: first the token is fresh, then it is to be replaced ahead of its end, and at last it has ended. */
export async function away(forMs: number, tell: (text: string) => void): Promise<AwayFigures> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using way = new ProxyForEach(new URL(engine.url));
  const port = await way.listen();
  const place = `127.0.0.1:${port}`;
  const lifetimeMs = Math.floor((forMs * FRESH_SHARE) / 1_000) * 1_000;
  await using world = await FleetWorld.create({
    url: `redis://${place}`,
    enginePorts: [port],
    accessTokenTtlSeconds: lifetimeMs / 1_000,
  });
  let endsAt = 0;
  world.authority.events.onEntry(({ kind }) => {
    if (kind === 'exchange') endsAt = performance.now() + lifetimeMs;
  });
  await world.signIn();
  const instances = Array.from({ length: INSTANCES }, () => world.start());
  for (const instance of instances) {
    const end = await instance.call();
    if (end.kind !== 'served') throw new Error(JSON.stringify(end));
  }
  await way.leave();
  const leftAt = performance.now();
  const cold = world.start();
  const coldEnd = cold.call();
  let servedWhileFresh = 0;
  const failedWhileFresh: string[] = [];
  while (performance.now() < endsAt - ON_ITS_WAY_MS) {
    for (const { end } of await callAll(instances)) {
      if (end.kind === 'served') servedWhileFresh++;
      else failedWhileFresh.push(why(end));
    }
    tell(`away for ${Math.round((performance.now() - leftAt) / 1000)} s`);
    await pause(TURN_MS);
  }
  await pause(Math.max(0, endsAt + TURN_MS - performance.now()));
  let [told, toldAfterMs] = [0, 0];
  const toldOtherwise: string[] = [];
  while (told === 0 || performance.now() - leftAt < forMs) {
    for (const { end, tookMs } of await callAll(instances)) {
      told++;
      toldAfterMs = Math.max(toldAfterMs, tookMs);
      if (!why(end).includes(place)) toldOtherwise.push(why(end));
    }
    tell(`away for ${Math.round((performance.now() - leftAt) / 1000)} s`);
    await pause(TURN_MS);
  }
  await way.listen();
  const backAt = performance.now();
  const served = async (instance: Instance) => {
    const end = await untilServed(instance, 180_000);
    if (end.kind !== 'served') throw new Error(`not healed: ${JSON.stringify(end)}`);
    return performance.now() - backAt;
  };
  const [coldHealedAfterMs, ...healed] = await Promise.all([served(cold), ...instances.map(served)]);
  const silence = await silent(engine, world, instances, tell);
  return {
    ...silence,
    servedWhileFresh,
    failedWhileFresh,
    place,
    told,
    toldOtherwise,
    toldAfterMs,
    coldStart: why(await coldEnd),
    healedAfterMs: Math.max(...healed),
    coldHealedAfterMs,
    browsers: world.browser.opened.length - world.signIns,
    refreshPosts: world.authority.counters.refreshPosts,
    replays: world.authority.counters.replays,
  };
}

/** For some seconds the engine takes connections and answers nothing, while the token is revoked. */
async function silent(
  engine: RedisServer,
  world: FleetWorld,
  instances: readonly Instance[],
  tell: (text: string) => void,
): Promise<Pick<AwayFigures, 'silentToldAfterMs' | 'silentToldOtherwise' | 'silentHealedAfterMs'>> {
  const silentToldOtherwise: string[] = [];
  let silentToldAfterMs = 0;
  engine.process.suspend();
  world.authority.tokens.revokeAll();
  for (let turn = 1; turn <= SILENT_TURNS; turn++) {
    for (const { end, tookMs } of await callAll(instances)) {
      silentToldAfterMs = Math.max(silentToldAfterMs, tookMs);
      if (!/does not answer/.test(why(end))) silentToldOtherwise.push(why(end));
    }
    tell(`silent, turn ${turn} of ${SILENT_TURNS}`);
    await pause(TURN_MS);
  }
  engine.process.resume();
  const resumedAt = performance.now();
  const ends = await Promise.all(instances.map((one) => untilServed(one, 180_000)));
  silentToldOtherwise.push(...ends.filter(({ kind }) => kind !== 'served').map(why));
  return { silentToldAfterMs, silentToldOtherwise, silentHealedAfterMs: performance.now() - resumedAt };
}

/** A call of each at once, and how long it took. */
function callAll(
  instances: readonly Instance[],
): Promise<readonly { readonly end: CallEnd; readonly tookMs: number }[]> {
  return Promise.all(
    instances.map(async (instance) => {
      const startedAt = performance.now();
      const end = await instance.call();
      return { end, tookMs: performance.now() - startedAt };
    }),
  );
}

const why = (end: CallEnd): string => (end.kind === 'failed' ? end.why : end.kind);
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
