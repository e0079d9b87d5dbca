import { quantile } from '../../helpers/quantile.ts';
import { RedisServer } from '../../peers/redis/redis-server.ts';
import { lapses } from '../lapses.ts';
import { movedClock } from '../moved-clock.ts';
import { Dice } from '../random.ts';
import type { Row, Scale } from '../rows.ts';
import { away } from './away.ts';
import { RedisGroup } from './group.ts';
import { ProxyForEach } from './proxies.ts';
import { scale as measureScale } from './scale.ts';
import {
  atEachStep,
  type Pair,
  type Point,
  pointsOf,
  resume,
  type StepRun,
  type StepsOptions,
} from './steps.ts';
import { FleetWorld } from './world.ts';

type Tell = (text: string) => void;

/** A program that is dead is passed over at once by those who can see that it is. */
const DEAD_SERVED_MS = 12_000;
/** A token that may be spent is tried again after 120 s; another machine cannot see that its owner is dead. */
const MAYBE_SERVED_MS = 135_000;
/** A quarantine of 45 s, and the time that a failover takes. */
const FAILOVER_SERVED_MS = 60_000;
const WAITER_MS = 300;
/** How long a token request may be under way when it is stopped: so that all are where they are to be before anything happens. */
const PATIENCE_MS = 240_000;
const SECOND_MS = 1_000;

/** Rows of many machines: each starts an engine of its own. */
export const fleetRows: Readonly<Record<string, (scale: Scale, tell: Tell) => Promise<Row>>> = {
  'fleet-lapses': (scale, tell) => lapseRow({ ...scale, kills: 0 }, tell),
  'fleet-kills': lapseRow,
  'fleet-steps': (scale, tell) => killRow(scale, { apart: false }, tell),
  'fleet-apart': (scale, tell) => killRow(scale, { apart: true }, tell),
  'fleet-restarts': restartRow,
  'fleet-failovers': failoverRow,
  'fleet-split': splitRow,
  'fleet-partitions': partitionRow,
  'fleet-suspended': suspendedRow,
  'fleet-clocks': clockRow,
  'fleet-away': awayRow,
  'fleet-scale': scaleRow,
};

async function lapseRow({ instances, lapses: count, kills, seed }: Scale, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  const options = {
    instances,
    lapses: count,
    kills,
    seed,
    callsEach: 30,
    onLapse: (n: number) => tell(`lapse ${n} of ${count}`),
  };
  const found = await lapses(options, () =>
    FleetWorld.create({ url: engine.url, enginePorts: [engine.port] }),
  );
  const beyond = quantile(found.beyondServerMs, 0.99);
  return {
    what: `4 homes × ${instances / 4} instances on one Redis, ${count} revoked tokens${kills === 0 ? '' : `, ${kills} kill -9`}`,
    figures: {
      'refresh POSTs': found.refreshPosts,
      replays: found.replays,
      'sign-ins': found.signIns,
      served: found.served,
      failed: found.failed.length,
      'wait p50': milliseconds(quantile(found.waitsMs, 0.5)),
      'wait p99': milliseconds(quantile(found.waitsMs, 0.99)),
      'p99 beyond the server': milliseconds(beyond),
      ...(kills === 0
        ? {}
        : { kills: found.kills, 'died at': [...found.diedAt].map(([step, n]) => `${step} ${n}`).join(', ') }),
    },
    missed: [
      ...unless(found.refreshPosts === count, 'one refresh POST per lapse'),
      ...unless(found.replays === 0 && found.signIns === 0, 'no replay, no sign-in'),
      ...unless(found.kills === kills, `${kills} kills`),
      ...unless(found.failed.length === 0, `no failed call (${found.failed[0]})`),
      ...unless(kills > 0 || beyond <= WAITER_MS, 'p99 of the wait within the server’s time + 300 ms'),
    ],
  };
}

/** An instance is killed at each of its calls to engine and authorization server, and another one of its login goes on. */
async function killRow({ runs }: Scale, { apart }: { readonly apart: boolean }, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port], apart });
  const points = await pointsOf(world);
  const done = await rounds(points, Math.ceil(runs / 20), tell, (round) =>
    atEachStep({
      world,
      points,
      signal: 'SIGKILL',
      name: `kill-${round}`,
      act: async () => ({}),
      patienceMs: PATIENCE_MS,
    }),
  );
  const most = apart ? MAYBE_SERVED_MS : DEAD_SERVED_MS;
  return stepRow(
    `killed at each of ${points.length} calls, ${apart ? 'on machines apart' : 'on one machine'}`,
    done,
    {
      world,
      mayBeLost: ({ point }) => point.call.isResidue,
      most,
    },
  );
}

/** The engine is killed and started again while a refresh of each login stands at another of its calls. */
async function restartRow({ runs }: Scale, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port] });
  const points = await pointsOf(world);
  const done = await rounds(points, Math.ceil(runs / 50), tell, (round) =>
    atEachStep({
      world,
      points,
      signal: 'SIGSTOP',
      name: `restart-${round}`,
      act: async (pairs) => {
        await engine.kill();
        resume(pairs);
        await pause(SECOND_MS);
        await engine.restart();
        return {};
      },
      patienceMs: PATIENCE_MS,
    }),
  );
  return stepRow(`engine killed and started again at each of ${points.length} calls`, done, {
    world,
    mayBeLost: () => false,
    most: MAYBE_SERVED_MS,
  });
}

/** The primary dies, its replica takes over, and of every second one it had got nothing of the refreshes under way. */
async function failoverRow({ failovers, seed }: Scale, tell: Tell): Promise<Row> {
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
async function splitRow({ failovers, seed }: Scale, tell: Tell): Promise<Row> {
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
async function partitionRow({ seed }: Scale, tell: Tell): Promise<Row> {
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
async function suspendedRow(_: Scale, tell: Tell): Promise<Row> {
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
async function clockRow({ seed }: Scale, tell: Tell): Promise<Row> {
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

async function awayRow({ awaySeconds }: Scale, tell: Tell): Promise<Row> {
  const found = await away(awaySeconds * SECOND_MS, tell);
  return {
    what: `engine away for ${awaySeconds} s, while the token is fresh and after it was revoked`,
    figures: {
      'served while fresh': found.servedWhileFresh,
      'failed while fresh': found.failedWhileFresh,
      'store_away after': seconds(found.toldAfterMs),
      'cold start': found.coldStart,
      'healed after': seconds(found.healedAfterMs),
      browsers: found.browsers,
      'refresh POSTs': found.refreshPosts,
      replays: found.replays,
    },
    missed: [
      ...unless(found.servedWhileFresh > 0 && found.failedWhileFresh === 0, 'no failed call while fresh'),
      ...unless(found.told.includes(found.place), `an error that names ${found.place} (${found.told})`),
      ...unless(found.toldAfterMs <= 3_000, 'the error within 3 s'),
      ...unless(found.healedAfterMs <= 5_000, 'healed within 5 s'),
      ...unless(
        found.browsers === 0 && found.replays === 0 && found.refreshPosts === 1,
        'one refresh, no browser',
      ),
    ],
  };
}

/** 1,000 instances in 8 processes. */
async function scaleRow({ scaleLapses, scaleInstances }: Scale, tell: Tell): Promise<Row> {
  const PROCESSES = 8;
  const instancesEach = Math.round(scaleInstances / PROCESSES);
  const found = await measureScale({
    processes: PROCESSES,
    instancesEach,
    lapses: scaleLapses,
    idleMs: 120 * SECOND_MS,
    tell,
  });
  const slowest = Math.max(...found.lastAdoptedMs);
  return {
    what: `${instancesEach * PROCESSES} instances in ${PROCESSES} processes, ${scaleLapses} revoked tokens`,
    figures: {
      connections: found.connections,
      'refresh POSTs': found.posts,
      replays: found.replays,
      failed: found.failed.length,
      'engine operations per instance and lapse': found.operations.toFixed(2),
      of: found.kinds,
      'adopted p50': milliseconds(quantile(found.adoptedMs, 0.5)),
      'adopted p99': milliseconds(quantile(found.adoptedMs, 0.99)),
      'last adopted, median of the lapses': milliseconds(quantile(found.lastAdoptedMs, 0.5)),
      'last adopted at most': milliseconds(slowest),
      'engine processor per lapse': milliseconds(found.engineMs),
      'idle operations per instance and minute': found.idleOperations.toFixed(2),
    },
    missed: [
      ...unless(found.posts === scaleLapses && found.replays === 0, 'one refresh POST per lapse, no replay'),
      ...unless(found.failed.length === 0, `no failed call (${found.failed[0]})`),
      ...unless(found.operations <= 6, 'at most 6 engine operations per instance and lapse'),
      ...unless(slowest <= 2_000, 'all adopted within 2 s of the answer'),
      ...unless(found.idleOperations <= 1, 'idle: at most one operation per instance and minute'),
    ],
  };
}

function atEachStepOf(group: RedisGroup, options: Omit<StepsOptions, 'signal'>): Promise<readonly StepRun[]> {
  return atEachStep({ ...options, signal: 'SIGSTOP' }).finally(() => group.heal());
}

async function rounds(
  points: readonly Point[],
  count: number,
  tell: Tell,
  run: (round: number) => Promise<readonly StepRun[]>,
): Promise<readonly StepRun[]> {
  const done: StepRun[] = [];
  for (let round = 0; round < count; round++) {
    tell(`round ${round + 1} of ${count}, ${points.length} refreshes each`);
    done.push(...(await run(round)));
  }
  return done;
}

interface Judged {
  readonly world: FleetWorld;
  readonly mayBeLost: (run: StepRun) => boolean;
  readonly most: number;
  readonly more?: Readonly<Record<string, number | string>>;
}

function stepRow(what: string, done: readonly StepRun[], { world, mayBeLost, most, more = {} }: Judged): Row {
  const { replays, refreshes } = world.authority.counters;
  const lost = done.filter(({ isLost }) => isLost);
  const outside = lost.filter((run) => !mayBeLost(run));
  const times = done.flatMap(({ servedAfterMs }) => (servedAfterMs === undefined ? [] : [servedAfterMs]));
  const slowest = Math.max(0, ...times);
  const unserved = done.filter((run) => run.servedAfterMs === undefined && !run.isLost);
  const missedHits = done.filter(({ wasHit }) => !wasHit);
  const [first] = unserved;
  return {
    what,
    figures: {
      refreshes,
      hit: done.length - missedHits.length,
      replays,
      'logins lost in the residue': lost.length - outside.length,
      'logins lost outside': outside.length,
      unserved: unserved.length,
      'served p50': seconds(quantile(times, 0.5)),
      'served at most': seconds(slowest),
      browsers: world.browser.opened.length - world.signIns,
      ...more,
    },
    missed: [
      ...unless(
        done.length > 0 && missedHits.length === 0,
        `each is hit where it is meant to (${missedHits[0]?.point.call.step})`,
      ),
      ...unless(outside.length === 0, `no login lost outside the residue (${describe(outside[0])})`),
      ...unless(replays <= lost.length, 'no replay that is not counted'),
      ...unless(first === undefined, `all are served in the end (${describe(first)})`),
      ...unless(slowest <= most, `served within ${seconds(most)}`),
      ...unless(world.browser.opened.length === world.signIns, 'no browser'),
    ],
  };
}

function describe(run: StepRun | undefined): string {
  if (run === undefined) return '';
  const { step, name, on } = run.point.call;
  return `${step} ${run.point.at} ${name} ${on}: ${run.why}`;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const unless = (holds: boolean, promise: string): string[] => (holds ? [] : [promise]);
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const milliseconds = (ms: number) => `${Math.round(ms)} ms`;

export type { Pair };
