import { PING_MS } from '../../../../src/store/redis/limits.ts';
import { quantile } from '../../../helpers/quantile.ts';
import { RedisServer } from '../../../peers/redis/redis-server.ts';
import { lapses } from '../../lapses.ts';
import type { Row, Scale } from '../../rows.ts';
import { away } from '../away.ts';
import { scale as measureScale } from '../scale.ts';
import { atEachStep, pointsOf, resume } from '../steps.ts';
import { FleetWorld } from '../world.ts';
import { clockRow } from './clock-row.ts';
import { failoverRow, partitionRow, splitRow, suspendedRow } from './fault-rows.ts';
import { logoutRow } from './logout-row.ts';
import { singleFailoverRow } from './single-failover-row.ts';
import {
  MAYBE_SERVED_MS,
  milliseconds,
  PATIENCE_MS,
  pause,
  rounds,
  SECOND_MS,
  seconds,
  stepRow,
  type Tell,
  unless,
} from './step-row.ts';

/** A program that is dead is passed over at once by those who can see that it is. */
const DEAD_SERVED_MS = 12_000;
/** About the 120 s after which a token that may be spent is tried again. */
const MAYBE_WAITED_MS = 110_000;
const WAITER_MS = 300;

/** Rows of many machines: each starts an engine of its own. */
export const fleetRows: Readonly<Record<string, (scale: Scale, tell: Tell) => Promise<Row>>> = {
  'fleet-lapses': (scale, tell) => lapseRow({ ...scale, kills: 0 }, tell),
  'fleet-kills': lapseRow,
  'fleet-steps': (scale, tell) => killRow(scale, { apart: false }, tell),
  'fleet-apart': (scale, tell) => killRow(scale, { apart: true }, tell),
  'fleet-restarts': restartRow,
  'fleet-failovers': failoverRow,
  'fleet-single-failovers': singleFailoverRow,
  'fleet-split': splitRow,
  'fleet-partitions': partitionRow,
  'fleet-suspended': suspendedRow,
  'fleet-clocks': clockRow,
  'fleet-away': awayRow,
  'fleet-scale': scaleRow,
  'fleet-logout': logoutRow,
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
      worlds: [world],
      mayBeLost: ({ point }) => point.call.isResidue,
      most,
      // Otherwise somebody has seen that an owner is dead.
      missed: unless(
        !apart || done.some(({ servedAfterMs = 0 }) => servedAfterMs > MAYBE_WAITED_MS),
        'some wait for a reservation to be over',
      ),
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
    worlds: [world],
    mayBeLost: () => false,
    most: MAYBE_SERVED_MS,
  });
}

async function awayRow({ awaySeconds }: Scale, tell: Tell): Promise<Row> {
  const found = await away(awaySeconds * SECOND_MS, tell);
  return {
    what: `engine away for ${awaySeconds} s, in which the token ends`,
    figures: {
      'served while fresh': found.servedWhileFresh,
      'failed while fresh': found.failedWhileFresh.length,
      'told that it is away': found.told - found.toldOtherwise.length,
      'told within': seconds(found.toldAfterMs),
      'cold start': found.coldStart,
      'healed after': seconds(found.healedAfterMs),
      'cold start healed after': seconds(found.coldHealedAfterMs),
      'told of a silent engine within': seconds(found.silentToldAfterMs),
      'healed after its silence': seconds(found.silentHealedAfterMs),
      browsers: found.browsers,
      'refresh POSTs': found.refreshPosts,
      replays: found.replays,
    },
    missed: [
      ...unless(
        found.servedWhileFresh > 0 && found.failedWhileFresh.length === 0,
        `no failed call while fresh (${found.failedWhileFresh[0]})`,
      ),
      ...unless(
        found.toldOtherwise.length === 0,
        `an error that names ${found.place} (${found.toldOtherwise[0]})`,
      ),
      ...unless(
        found.coldStart === 'served' || found.coldStart.includes(found.place),
        `the same at start (${found.coldStart})`,
      ),
      ...unless(found.toldAfterMs <= 2_000, 'the error within 2 s'),
      ...unless(
        found.silentToldOtherwise.length === 0,
        `an error where the engine is silent (${found.silentToldOtherwise[0]})`,
      ),
      ...unless(found.silentToldAfterMs <= 3_000, 'the error within 3 s where the engine is silent'),
      ...unless(
        Math.max(found.healedAfterMs, found.coldHealedAfterMs, found.silentHealedAfterMs) <= 5_000,
        'healed within 5 s',
      ),
      ...unless(
        found.browsers === 0 && found.replays === 0 && found.refreshPosts === 2,
        'one refresh for each end of a token, no browser',
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
    // Two intervals at which a connection is asked for a sign of life.
    idleMs: 2 * PING_MS,
    tell,
  });
  const slowest = Math.max(...found.lastAdoptedMs, found.lastAfterIdleMs);
  return {
    what: `${instancesEach * PROCESSES} instances in ${PROCESSES} processes, ${scaleLapses} revoked tokens`,
    figures: {
      connections: found.connections,
      'when idle': found.idleConnections,
      'refresh POSTs': found.posts,
      replays: found.replays,
      failed: found.failed.length,
      'engine operations per instance and lapse': found.operations.toFixed(2),
      of: found.kinds,
      'adopted p50': milliseconds(quantile(found.adoptedMs, 0.5)),
      'adopted p99': milliseconds(quantile(found.adoptedMs, 0.99)),
      'last adopted, median of the lapses': milliseconds(quantile(found.lastAdoptedMs, 0.5)),
      'last adopted at most': milliseconds(slowest),
      'in the lapse after the idle time': milliseconds(found.lastAfterIdleMs),
      'engine processor per lapse': milliseconds(found.engineMs),
      'of all instances': milliseconds(found.instancesMs),
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
