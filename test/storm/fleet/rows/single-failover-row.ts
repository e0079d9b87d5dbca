import { faults } from '../../../peers/faults/faults.ts';
import { Dice } from '../../random.ts';
import type { Row, Scale } from '../../rows.ts';
import { RedisGroup } from '../group.ts';
import { atEachStep, type Point, pointsOf, resume, type StepRun } from '../steps.ts';
import { FleetWorld } from '../world.ts';
import { Calm } from './calm.ts';
import { MOST_BEFORE_DEATH_MS, putsBefore, UNDER_WAY_MS } from './fault-rows.ts';
import { MAYBE_SERVED_MS, PATIENCE_MS, stepRow, type Tell, unless } from './step-row.ts';

/** Of the cuts: most refreshes are stopped at a call after which a put comes. */
const MOST_LOSE = 0.5;

/** An engine with its Sentinels, an authorization server, and bridges. */
class Place implements AsyncDisposable {
  readonly group: RedisGroup;
  readonly world: FleetWorld;

  private constructor(group: RedisGroup, world: FleetWorld) {
    this.group = group;
    this.world = world;
  }

  static async open(): Promise<Place> {
    const group = await RedisGroup.start();
    return new Place(group, await FleetWorld.create({ url: group.url, enginePorts: group.ports }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await this.group[Symbol.asyncDispose]();
  }
}

/**
 * Failovers of which each falls onto one refresh, at one of its calls in turn, and the replication is cut before half of them. After each there is a quarantine,
 * so that several engines fail over side by side; each has logins, bridges and an authorization server of its own.
 */
export async function singleFailoverRow(scale: Scale, tell: Tell): Promise<Row> {
  const calm = new Calm();
  const losses: number[] = [];
  const done: StepRun[] = [];
  const dice = new Dice(scale.seed);
  let next = 0;

  const work = async (place: Place, points: readonly Point[]) => {
    for (let n = next++; n < scale.failovers; n = next++) {
      const point = points[n % points.length] as Point;
      // Each call is hit with and without the cut: in turn, and the other way round the next time.
      const isCut = (n + Math.floor(n / points.length)) % 2 === 1;
      const startsAfterMs = dice.between(0, MOST_BEFORE_DEATH_MS / 2);
      done.push(...(await failover(place, { name: `failover-${n}`, point, isCut, startsAfterMs })));
      tell(`${done.length} of ${scale.failovers}`);
    }
  };
  const failover = ({ group, world }: Place, { name, point, isCut, startsAfterMs }: Failover) =>
    atEachStep({
      world,
      points: [point],
      signal: 'SIGSTOP',
      name,
      calm: calm.add,
      act: async (pairs) => {
        if (isCut) {
          world.authority.failRefresh(faults.delay(UNDER_WAY_MS));
          await group.cutReplication();
          setTimeout(() => resume(pairs), startsAfterMs);
          losses.push(await putsBefore(group, 1));
        }
        await group.primary.kill();
        resume(pairs);
        await group.promoted();
        world.authority.heal();
        return {};
      },
      patienceMs: PATIENCE_MS,
    }).finally(() => group.heal());

  const count = Math.min(scale.groups, scale.failovers);
  const places = await Promise.all(Array.from({ length: count }, Place.open));
  try {
    const [{ world }] = places as [Place];
    const points = await pointsOf(world);
    await Promise.all(places.map((place) => work(place, points)));
    const lossy = losses.filter((puts) => puts > 0).length;
    return stepRow(
      `${done.length} failovers, each onto one refresh, at each of its calls in turn; replication cut before ${losses.length}`,
      done,
      {
        worlds: places.map(({ world }) => world),
        mayBeLost: () => false,
        most: MAYBE_SERVED_MS + 60_000,
        more: {
          'cuts that lost a put': lossy,
          'served after 45 s and more': done.filter(({ servedAfterMs = 0 }) => servedAfterMs >= 45_000)
            .length,
          ...calm.figures,
        },
        missed: [
          ...unless(done.length === scale.failovers, `${scale.failovers} failovers`),
          ...unless(lossy >= losses.length * MOST_LOSE, 'half of the cuts lose a put'),
          ...calm.missed,
        ],
      },
    );
  } finally {
    for (const place of places) await place[Symbol.asyncDispose]();
  }
}

interface Failover {
  readonly name: string;
  readonly point: Point;
  readonly isCut: boolean;
  /** After the cut, the program that is stopped goes on; the primary dies once the put has come, or 5 s after the cut. */
  readonly startsAfterMs: number;
}
