import { readFile } from 'node:fs/promises';
import { faults } from '../../../peers/faults/faults.ts';
import { type Cut, Way } from '../../../peers/faults/way.ts';
import { RedisServer } from '../../../peers/redis/redis-server.ts';
import { Dice } from '../../random.ts';
import type { Row, Scale } from '../../rows.ts';
import { RedisGroup } from '../group.ts';
import { atEachStep, type Pair, type Point, pointsOf, resume, type StepRun } from '../steps.ts';
import { FleetWorld } from '../world.ts';
import { Calm } from './calm.ts';
import {
  MAYBE_SERVED_MS,
  PATIENCE_MS,
  pause,
  rounds,
  SECOND_MS,
  seconds,
  stepRow,
  type Tell,
  unless,
} from './step-row.ts';

/** A quarantine of 45 s, and what a waiter and a busy machine need besides. */
const FIRST_REFRESH_MS = 50_000;
const SPLITS_MS = [30 * SECOND_MS, 60 * SECOND_MS];
/** So long before the primary dies, at most (after 8 s a Sentinel would see to the replication again), the first refresh goes on that its replica hears nothing of. */
export const MOST_BEFORE_DEATH_MS = 5_000;
/** The authorization server's time for a refresh then: less than the 30 s for which an answer is waited for. */
export const UNDER_WAY_MS = 12_000;
const [SHORTEST_CUT_S, LONGEST_CUT_S] = [1, 90];
/** Of the instances that are resumed, before the others of their logins. */
const HEAD_START_MS = 3_000;
/** Beyond this a token request is not waited for any longer. */
const REQUEST_MS = 30_000;

/** At full size all calls of a refresh, else each n-th. */
const chosen = (points: readonly Point[], { every }: Scale) => points.filter((_, n) => n % every === 0);

/** The primary dies, its replica takes over, and of every second one it had got nothing of the refreshes under way. */
export async function failoverRow(scale: Scale, tell: Tell): Promise<Row> {
  await using group = await RedisGroup.start();
  await using world = await FleetWorld.create({ url: group.url, enginePorts: group.ports });
  const points = chosen(await pointsOf(world), scale);
  const dice = new Dice(scale.seed);
  const calm = new Calm();
  const losses: number[] = [];
  const firsts: number[] = [];
  const count = Math.ceil(scale.failovers / points.length);
  const done = await rounds(points, count, tell, async (round) => {
    const runs = await atEachStep({
      world,
      points,
      signal: 'SIGSTOP',
      name: `failover-${round}`,
      calm: calm.add,
      act: async (pairs) => {
        if (round % 2 === 1) {
          // Requests are under way when their reservations are lost, and nobody may think that there are none.
          world.authority.failRefresh(faults.delay(UNDER_WAY_MS));
          await group.cutReplication();
          // What comes next is put into the primary, and nowhere else. Some are where they come to until it dies, and some begin after it.
          for (const pair of pairs) setTimeout(() => resume([pair]), dice.between(0, MOST_BEFORE_DEATH_MS));
          losses.push(await putsBefore(group, points.length / 4));
        }
        await group.primary.kill();
        resume(pairs);
        await group.promoted();
        world.authority.heal();
        return {};
      },
      patienceMs: PATIENCE_MS,
    });
    firsts.push(...first(runs));
    await group.heal();
    return runs;
  });
  const cuts = Math.floor(count / 2);
  return stepRow(
    `${count} failovers, each onto ${points.length} refreshes; replication cut before ${cuts}`,
    done,
    {
      worlds: [world],
      mayBeLost: () => false,
      most: MAYBE_SERVED_MS + 60_000,
      more: {
        'puts lost': losses.reduce((sum, each) => sum + each, 0),
        'first refresh at most': seconds(Math.max(0, ...firsts)),
        ...calm.figures,
      },
      missed: [
        ...unless(
          losses.length === cuts && losses.every((lost) => lost > 0),
          'each cut loses puts of the refreshes',
        ),
        ...unless(
          firsts.length === count && firsts.every((ms) => ms <= FIRST_REFRESH_MS),
          `the first refresh within ${seconds(FIRST_REFRESH_MS)} of the promotion`,
        ),
        ...calm.missed,
      ],
    },
  );
}

/** Until the primary has so many puts that its replica lacks, but not so long that the replica may not take over. */
export async function putsBefore(group: RedisGroup, wanted: number): Promise<number> {
  const end = performance.now() + MOST_BEFORE_DEATH_MS;
  for (;;) {
    const ahead = await group.putsAhead();
    if (ahead >= wanted || performance.now() > end) return ahead;
    await pause(50);
  }
}

/** When the first of the logins was served: nobody had got an answer before, and nobody may reserve a token for 45 s. */
function first(runs: readonly StepRun[]): number[] {
  const waited = runs.flatMap(({ servedAfterMs = 0 }) => (servedAfterMs > 10_000 ? [servedAfterMs] : []));
  return waited.length === 0 ? [] : [Math.min(...waited)];
}

/**
 * Two primaries, for half a minute and for a whole one, which is longer than a quarantine. Of each login one instance is on the side of the old one, and the other on that of the
 * new one.
 */
export async function splitRow(scale: Scale, tell: Tell): Promise<Row> {
  await using group = await RedisGroup.start();
  await using world = await FleetWorld.create({ url: group.url, enginePorts: group.ports });
  const points = chosen(await pointsOf(world), scale);
  const dice = new Dice(scale.seed);
  const calm = new Calm();
  const sides: (readonly [number, number])[] = [];
  const puts: (readonly [number, number])[] = [];
  const count = Math.max(SPLITS_MS.length, Math.ceil(scale.failovers / 2 / points.length));
  const old = { url: group.minorityUrl, enginePorts: [...group.ports, group.minority.port] };
  const done = await rounds(points, count, tell, (round) =>
    atEachStep({
      world,
      points,
      signal: 'SIGSTOP',
      name: `split-${round}`,
      calm: calm.add,
      ways: async () => (dice.fraction() < 0.5 ? { victim: old } : { other: old }),
      act: async (pairs) => {
        await group.isolate();
        await group.promoted();
        const before = await group.puts();
        resume(pairs);
        const end = performance.now() + (SPLITS_MS[round % SPLITS_MS.length] ?? 0);
        const lasts = async () => {
          while (performance.now() < end) {
            sides.push(await group.programs());
            await pause(SECOND_MS);
          }
          const after = await group.puts();
          puts.push([after[0] - before[0], after[1] - before[1]]);
          await group.rejoin();
        };
        return { lasts: lasts() };
      },
      patienceMs: PATIENCE_MS,
    }),
  );
  const both = sides.filter(([here, there]) => here > 0 && there > 0).length;
  return stepRow(
    `two primaries for 30 s and 60 s in turn, ${count} times onto ${points.length} refreshes`,
    done,
    {
      worlds: [world],
      mayBeLost: () => false,
      most: MAYBE_SERVED_MS + 60_000,
      more: {
        'seconds with programs on both': both,
        'puts on the new one and on the old one': puts.map((each) => each.join(' and ')).join(', '),
        ...calm.figures,
      },
      missed: [
        ...unless(both >= sides.length / 2, 'programs on both sides for most of the time'),
        ...unless(
          puts.length === count && puts.flat().every((each) => each > 0),
          'both primaries take puts each time',
        ),
        ...calm.missed,
      ],
    },
  );
}

interface Partition {
  readonly what: string;
  readonly from: 'engine' | 'server';
  readonly cut: Cut;
}

const PARTITIONS: readonly Partition[] = [
  { what: 'engine', from: 'engine', cut: 'both' },
  { what: 'answers of the engine', from: 'engine', cut: 'answers' },
  { what: 'requests to the engine', from: 'engine', cut: 'requests' },
  { what: 'authorization server', from: 'server', cut: 'both' },
];

/** The instance that refreshes is cut off from engine or authorization server at each of its calls, for 1 to 90 s; neither side is told. */
export async function partitionRow(scale: Scale, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port] });
  const points = chosen(await pointsOf(world), scale);
  const dice = new Dice(scale.seed);
  const authorityPort = Number(new URL(world.authority.issuer).port);
  const figures: Record<string, string> = {};
  const cutFor = new Map<StepRun, number>();
  const done: StepRun[] = [];
  for (const { what, from, cut } of PARTITIONS) {
    tell(what);
    const own: Way[] = [];
    const lengths = points.map(() => dice.between(SHORTEST_CUT_S, LONGEST_CUT_S) * SECOND_MS);
    const runs = await atEachStep({
      world,
      points,
      signal: 'SIGSTOP',
      name: `partition-${PARTITIONS.findIndex((each) => each.what === what)}`,
      ways: async (n) => {
        const way = await Way.to(from === 'engine' ? engine.port : authorityPort);
        own[n] = way;
        if (from === 'engine')
          return { victim: { url: `redis://127.0.0.1:${way.port}`, enginePorts: [way.port] } };
        return { victim: { authorityPort: way.port, preload: await way.preload(world.folder) } };
      },
      act: async (pairs) => {
        for (const way of own) way.cut(cut);
        resume(pairs);
        const heals = own.map(async (way, n) => {
          await pause(lengths[n] ?? 0);
          way.heal();
        });
        // The other instance of the login comes later, or it would refresh before the one that was resumed.
        await pause(HEAD_START_MS);
        return { lasts: Promise.all(heals) };
      },
      patienceMs: PATIENCE_MS,
    });
    for (const way of own) await way[Symbol.asyncDispose]();
    for (const [n, run] of runs.entries()) cutFor.set(run, from === 'server' ? (lengths[n] ?? 0) : 0);
    done.push(...runs);
    const felt = own.filter(({ held }) => held > 0).length;
    const lost = runs.filter(({ isLost }) => isLost).length;
    figures[what] = `${felt} of ${runs.length} cuts felt, ${lost} lost`;
    if (felt < runs.length / 4) throw new Error(`${what}: only ${felt} of ${runs.length} cuts held anything`);
  }
  return stepRow(`cut off for 1 to ${LONGEST_CUT_S} s at each of ${points.length} calls`, done, {
    worlds: [world],
    // Without its answer within 30 s a token request is one whose answer is lost, on any store.
    mayBeLost: (run) => run.point.call.isResidue && (cutFor.get(run) ?? 0) >= REQUEST_MS - SECOND_MS,
    most: MAYBE_SERVED_MS + LONGEST_CUT_S * SECOND_MS,
    more: figures,
  });
}

/** The instance that refreshes is suspended at each of its calls. */
export async function suspendedRow(scale: Scale, tell: Tell): Promise<Row> {
  await using engine = await RedisServer.start({ keepsData: true });
  await using world = await FleetWorld.create({ url: engine.url, enginePorts: [engine.port], apart: true });
  const points = chosen(await pointsOf(world), scale);
  let slept = 0;
  const run = (secondsEach: number) => {
    tell(`${secondsEach} s`);
    return atEachStep({
      world,
      points,
      signal: 'SIGSTOP',
      name: `suspended-${secondsEach}`,
      act: async (pairs) => {
        const lasts = async () => {
          await pause(secondsEach * SECOND_MS);
          slept += (await Promise.all(pairs.map(isSuspended))).filter(Boolean).length;
          resume(pairs);
        };
        return { lasts: lasts() };
      },
      patienceMs: PATIENCE_MS,
    });
  };
  const short = await run(10);
  const long = await run(180);
  const done = [...short, ...long];
  const lostShort = short.filter(({ isLost }) => isLost).length;
  return stepRow(`suspended at each of ${points.length} calls for 10 s and for 180 s`, done, {
    worlds: [world],
    mayBeLost: (one) => long.includes(one) && (one.point.call.isResidue || one.point.call.step === 'POST'),
    most: MAYBE_SERVED_MS,
    more: { 'lost after 10 s': lostShort, 'suspended to the end': slept },
    missed: unless(slept === done.length, 'each is suspended for as long'),
  });
}

async function isSuspended({ victim }: Pair): Promise<boolean> {
  return /\) T /.test(await readFile(`/proc/${victim.host.pid}/stat`, 'latin1').catch(() => ''));
}
