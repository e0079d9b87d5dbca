import { RedisServer } from '../../../peers/redis/redis-server.ts';
import type { Instance } from '../../instance.ts';
import { lapses } from '../../lapses.ts';
import { movedClock } from '../../moved-clock.ts';
import type { Row, Scale } from '../../rows.ts';
import { RedisGroup } from '../group.ts';
import { untilServed } from '../steps.ts';
import { FleetWorld } from '../world.ts';
import { pause, SECOND_MS, type Tell, unless } from './step-row.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OFF_MS = [HOUR_MS, -HOUR_MS, DAY_MS, -DAY_MS];
/** So many that each home comes to refresh. */
const LAPSES = 40;
/** Longer than the quarantine: within it nobody could refresh too often. */
const AFTER_JUMP_MS = 60 * SECOND_MS;
const PATIENCE_MS = 180 * SECOND_MS;

/** Homes whose clocks are off by an hour and by a day, in both directions; and an engine whose clock jumps by a day with a failover, and back. */
export async function clockRow({ seed }: Scale, tell: Tell): Promise<Row> {
  const homes = await homeClocks(seed, tell);
  const engine = await engineClocks(tell);
  return {
    what: `clocks off by ±1 h and ±1 day, ${2 * OFF_MS.length} instances, ${LAPSES} revoked tokens; the engine's clock jumps by a day, and back`,
    figures: { ...homes.figures, ...engine.figures },
    missed: [...homes.missed, ...engine.missed],
  };
}

async function homeClocks(seed: number, tell: Tell): Promise<Omit<Row, 'what'>> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port] });
  const preloads = await clocks(world);
  const started: { readonly home: number; readonly at: number; readonly instance: Instance }[] = [];
  const found = await lapses(
    {
      instances: 2 * OFF_MS.length,
      lapses: LAPSES,
      kills: 0,
      seed,
      onLapse: (n) => tell(`lapse ${n} of ${LAPSES}`),
    },
    async () => ({
      authority: world.authority,
      browser: world.browser,
      server: world.server,
      corruptRecords: () => world.corruptRecords(),
      signIn: () => world.signIn(),
      plan: (at, part) => world.plan(at, part),
      start: (options) => {
        const home = started.length % OFF_MS.length;
        const nodeArgs = ['--require', preloads[home] as string];
        const instance = world.start({ ...options, args: ['--debug'], home, nodeArgs });
        started.push({ home, at: Date.now(), instance });
        return instance;
      },
      [Symbol.asyncDispose]: async () => undefined,
    }),
  );
  const wrong = started.filter(({ home, at, instance }) => {
    const off = clockOf(instance) - at - (OFF_MS[home] ?? 0);
    return !(Math.abs(off) < 60 * SECOND_MS);
  });
  const refreshed = OFF_MS.map((_, home) =>
    started
      .filter((one) => one.home === home)
      .reduce((sum, { instance }) => sum + (instance.host.stderr.match(/ refreshed\b/g)?.length ?? 0), 0),
  );
  return {
    figures: {
      'refresh POSTs': found.refreshPosts,
      'by the homes': refreshed.join(', '),
      replays: found.replays,
      'sign-ins': found.signIns,
      failed: found.failed.length,
    },
    missed: [
      ...unless(
        found.refreshPosts >= LAPSES && found.refreshPosts <= LAPSES + 1,
        'at most one refresh too many',
      ),
      ...unless(found.replays === 0 && found.signIns === 0, 'no replay, no sign-in'),
      ...unless(found.failed.length === 0, `no failed call (${found.failed[0]})`),
      ...unless(started.length > 0 && wrong.length === 0, 'each program has the clock of its home'),
      ...unless(
        refreshed.every((count) => count > 0),
        'each home refreshes at some time',
      ),
    ],
  };
}

/** By its first line that has a time. */
function clockOf({ host }: Instance): number {
  return Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(host.stderr)?.[0] ?? '');
}

function clocks(world: FleetWorld): Promise<readonly string[]> {
  return Promise.all(OFF_MS.map((off) => movedClock(world.folder, off, 'start')));
}

async function engineClocks(tell: Tell): Promise<Omit<Row, 'what'>> {
  await using group = await RedisGroup.start({ replicaAheadMs: DAY_MS });
  await using world = await FleetWorld.create({ url: group.url, enginePorts: group.ports });
  const preloads = await clocks(world);
  await world.signIn();
  const instances = preloads.map((preload, home) => world.start({ home, nodeArgs: ['--require', preload] }));
  await Promise.all(instances.map((one) => untilServed(one, PATIENCE_MS)));
  const before = world.authority.counters.refreshPosts;
  const jumps: number[] = [];
  const posts: number[] = [];
  const failed: string[] = [];
  for (const way of ['ahead', 'back']) {
    tell(`the engine's clock goes ${way}`);
    const from = await group.clock();
    await group.primary.kill();
    await group.promoted();
    jumps.push((await group.clock()) - from);
    const end = performance.now() + AFTER_JUMP_MS;
    while (performance.now() < end) {
      for (const call of await Promise.all(instances.map((one) => one.call())))
        if (call.kind !== 'served') failed.push(call.kind === 'failed' ? call.why : call.kind);
      await pause(SECOND_MS);
    }
    posts.push(world.authority.counters.refreshPosts);
    world.authority.tokens.revokeAll();
    const ends = await Promise.all(instances.map((one) => untilServed(one, PATIENCE_MS)));
    for (const call of ends) if (call.kind === 'failed') failed.push(call.why);
    await group.heal();
  }
  const { refreshPosts, replays } = world.authority.counters;
  const tooMany = refreshPosts - before - jumps.length;
  const hasJumped = ([ahead = 0, back = 0]: readonly number[]) =>
    Math.abs(ahead - DAY_MS) < HOUR_MS && Math.abs(back + DAY_MS) < HOUR_MS;
  return {
    figures: {
      "refreshes too many after jumps of the engine's clock": tooMany,
      'replays then': replays,
      'failed then': failed.length,
    },
    missed: [
      ...unless(hasJumped(jumps), `the engine's clock jumps by a day and back (${jumps.join(', ')} ms)`),
      ...unless(tooMany >= 0 && tooMany <= jumps.length, 'at most one refresh too many for each jump'),
      ...unless(replays === 0, "no replay after a jump of the engine's clock"),
      ...unless(world.browser.opened.length === world.signIns, 'no sign-in'),
      ...unless(failed.length === 0, `no failed call after a jump (${failed[0]})`),
    ],
  };
}
