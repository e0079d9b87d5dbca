import { RedisServer } from '../../peers/redis/redis-server.ts';
import { lapses } from '../lapses.ts';
import { movedClock } from '../moved-clock.ts';
import { Dice } from '../random.ts';
import type { Row, Scale } from '../rows.ts';
import { RedisGroup } from './group.ts';
import { ProxyForEach } from './proxies.ts';
import {
  MAYBE_SERVED_MS,
  PATIENCE_MS,
  pause,
  rounds,
  SECOND_MS,
  stepRow,
  type Tell,
  unless,
} from './step-row.ts';
import { atEachStep, pointsOf, resume, type StepRun, type StepsOptions } from './steps.ts';
import { FleetWorld } from './world.ts';

/** A quarantine of 45 s, and the time that a failover takes. */
const FAILOVER_SERVED_MS = 60_000;

/** The primary dies, its replica takes over, and of every second one it had got nothing of the refreshes under way. */
export async function failoverRow({ failovers, seed }: Scale, tell: Tell): Promise<Row> {
  await using group = await RedisGroup.start();
  await using world = await FleetWorld.create({ url: group.url, enginePorts: group.ports });
  const points = await pointsOf(world);
  const dice = new Dice(seed);
  let cut = 0;
  const count = Math.ceil(failovers / points.length);
  const done = await rounds(points, count, tell, (round) =>
    atEachStepOf(group, {
      world,
      points,
      name: `failover-${round}`,
      act: async (pairs) => {
        if (round % 2 === 1) {
          cut++;
          await group.cutReplication();
          // What comes next is put into the primary, and nowhere else.
          resume(pairs);
          await pause(dice.between(50, 1_500));
        }
        await group.primary.kill();
        resume(pairs);
        await group.promoted();
        return {};
      },
      patienceMs: PATIENCE_MS,
    }),
  );
  return stepRow(
    `${count} failovers, each onto ${points.length} refreshes; replication cut before ${cut}`,
    done,
    {
      world,
      mayBeLost: () => false,
      most: FAILOVER_SERVED_MS + 120_000,
    },
  );
}

/** Two primaries for half a minute, with instances on both sides. */
export async function splitRow({ failovers, seed }: Scale, tell: Tell): Promise<Row> {
  await using group = await RedisGroup.start();
  await using world = await FleetWorld.create({ url: group.url, enginePorts: group.ports });
  const points = await pointsOf(world);
  const dice = new Dice(seed);
  const count = Math.ceil(failovers / 2 / points.length);
  const done = await rounds(points, count, tell, (round) =>
    atEachStepOf(group, {
      world,
      points,
      name: `split-${round}`,
      act: async (pairs) => {
        const old = group.primary;
        await group.isolate();
        await group.promoted();
        const clients = String(await old.call('CLIENT', 'LIST', 'TYPE', 'normal')).match(/^id=\d+/gm) ?? [];
        const leaving = clients.filter(() => dice.fraction() < 0.5);
        for (const client of leaving)
          await old.call('CLIENT', 'KILL', 'ID', client.slice(3)).catch(() => 'gone by now');
        resume(pairs);
        return { lasts: pause(30 * SECOND_MS).then(() => group.heal()) };
      },
      patienceMs: PATIENCE_MS,
    }),
  );
  return stepRow(`two primaries for 30 s, ${count} times onto ${points.length} refreshes`, done, {
    world,
    mayBeLost: () => false,
    most: MAYBE_SERVED_MS + 60_000,
  });
}

/** The instance that refreshes is cut off from the engine at each of its calls, for 1 to 90 s; neither side is told. */
export async function partitionRow({ seed }: Scale, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using proxies = new ProxyForEach(new URL(engine.url));
  const port = await proxies.listen();
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [port] });
  const points = await pointsOf(world);
  const direct = points.map(({ call, at }) => ({ at, call }));
  const dice = new Dice(seed);
  const done = await rounds(direct, 1, tell, () =>
    atEachStep({
      world,
      points: direct,
      signal: 'SIGSTOP',
      name: 'partition',
      url: () => `redis://127.0.0.1:${port}`,
      act: async (pairs) => {
        proxies.cutAll();
        resume(pairs);
        const heals = pairs.map(() => pause(dice.between(1, 90) * SECOND_MS).then(() => proxies.healOne()));
        return { lasts: Promise.all(heals) };
      },
      patienceMs: PATIENCE_MS,
    }),
  );
  return stepRow(`cut off from the engine for 1 to 90 s at each of ${points.length} calls`, done, {
    world,
    mayBeLost: () => false,
    most: MAYBE_SERVED_MS + 60_000,
  });
}

/** The instance that refreshes is suspended at each of its calls. */
export async function suspendedRow(_: Scale, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port], apart: true });
  const points = await pointsOf(world);
  const run = (seconds: number) =>
    atEachStep({
      world,
      points,
      signal: 'SIGSTOP',
      name: `suspended-${seconds}`,
      act: async (pairs) => ({ lasts: pause(seconds * SECOND_MS).then(() => resume(pairs)) }),
      patienceMs: PATIENCE_MS,
    });
  tell('10 s');
  const short = await run(10);
  tell('180 s');
  const long = await run(180);
  const lostShort = short.filter(({ isLost }) => isLost).length;
  return stepRow(`suspended at each of ${points.length} calls for 10 s and for 180 s`, [...short, ...long], {
    world,
    mayBeLost: (one) => long.includes(one) && (one.point.call.isResidue || one.point.call.step === 'POST'),
    most: PATIENCE_MS,
    more: { 'lost after 10 s': lostShort },
  });
}

/** Homes whose clocks are off by an hour and by a day, in both directions. */
export async function clockRow({ seed }: Scale, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port] });
  const HOUR_MS = 3_600_000;
  const preloads = await Promise.all(
    [HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS].map((off) => movedClock(world.folder, off, 'start')),
  );
  const count = 20;
  const found = await lapses(
    { instances: 8, lapses: count, kills: 0, seed, onLapse: (n) => tell(`lapse ${n} of ${count}`) },
    async () => ({
      authority: world.authority,
      browser: world.browser,
      server: world.server,
      corruptRecords: () => world.corruptRecords(),
      signIn: () => world.signIn(),
      plan: (at, part) => world.plan(at, part),
      start: (options) => {
        const home = world.instances.length % 4;
        return world.start({ ...options, home, nodeArgs: ['--require', preloads[home] as string] });
      },
      [Symbol.asyncDispose]: async () => undefined,
    }),
  );
  return {
    what: `clocks off by ±1 h and ±1 day, 8 instances, ${count} revoked tokens`,
    figures: {
      'refresh POSTs': found.refreshPosts,
      replays: found.replays,
      'sign-ins': found.signIns,
      failed: found.failed.length,
    },
    missed: [
      ...unless(
        found.refreshPosts >= count && found.refreshPosts <= count + 1,
        'at most one refresh too many',
      ),
      ...unless(found.replays === 0 && found.signIns === 0, 'no replay, no sign-in'),
      ...unless(found.failed.length === 0, `no failed call (${found.failed[0]})`),
    ],
  };
}

function atEachStepOf(group: RedisGroup, options: Omit<StepsOptions, 'signal'>): Promise<readonly StepRun[]> {
  return atEachStep({ ...options, signal: 'SIGSTOP' }).finally(() => group.heal());
}
